//! Start-up: what a cold process costs, and a warm one, as deployed: release binaries, through the Runtime API, over
//! HTTPS to the embedded services.
//!
//! ```sh
//! cargo lambda build --release
//! cargo build --workspace --bin get-me --bin send-message --profile deploy
//! cargo bench --workspace --bench start_up -- target/lambda target/deploy
//! ```
//!
//! A function in a folder that holds no binary of it is left out. Needs `openssl`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on panics, and prints its figures"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use harness::figures::{cpu_of_threads, memory_mib, percentile};
use harness::world::FANOUT_DEAD;
use harness::{Person, World, events};
use local::environment::{self, Addresses};
use local::processes::{self, services};
use local_runtime::{Launch, Process, loopback};
use local_services::Services;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// How many processes are started of each binary.
const PROCESSES: usize = 25;
/// How many invocations of the last of them are counted as warm.
const WARM: u32 = 2_000;
/// How many go before them.
const WARMING: u32 = 50;
/// Where Linux keeps the authorities that are trusted: as many as a function reads on Lambda.
const SYSTEM_AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";
const TIMEOUT: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    // A benchmark is run in the folder of its package.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders: Vec<PathBuf> = if arguments.is_empty() {
        vec![root.join("target/lambda"), root.join("target/deploy")]
    } else {
        arguments.iter().map(|folder| root.join(folder)).collect()
    };
    // Queued jobs go where nobody works them off beside the measurement.
    let mut world = World::start().await;
    world.expect_dead_letters();
    let https = Https::start(world.services().clone()).await;
    let functions = events(&world).await;
    let mut template = environment::template(&BTreeMap::new()).unwrap();
    let statements = template
        .functions
        .iter_mut()
        .flat_map(|spec| &mut spec.statements);
    for resource in statements.flat_map(|statement| &mut statement.resources) {
        *resource = resource.replace("FanoutQueue", FANOUT_DEAD);
    }
    world.services().set_rights(local::rights::of(&template));

    println!(
        "medians of {PROCESSES} processes; warm: {WARM} invocations one after the other\n\n\
         {:<34} init ms  first ms   both ms   warm µs    CPU µs   RSS MiB  peak MiB",
        "function"
    );
    for folder in &folders {
        for (function, event) in &functions {
            let Some((binary, launch)) = launch(function, folder, &https) else {
                continue;
            };
            let figures = measure(&launch, event).await;
            let name = format!("{binary} ({})", folder.file_name().unwrap().display());
            println!(
                "{name:<32} {:>9.2} {:>9.2} {:>9.2} {:>9.0} {:>9.0} {:>9.1} {:>9.1}",
                figures.init,
                figures.first,
                figures.init + figures.first,
                figures.warm,
                figures.cpu,
                figures.memory,
                figures.peak_memory
            );
        }
    }
}

/// The figures of one binary.
struct Figures {
    /// Milliseconds from the start of the process until it asks for its first event.
    init: f64,
    /// Milliseconds of the first invocation.
    first: f64,
    /// Microseconds of a warm invocation.
    warm: f64,
    /// Microseconds of CPU of a warm invocation, the process alone.
    cpu: f64,
    memory: f64,
    peak_memory: f64,
}

async fn measure(launch: &Launch, event: &Bytes) -> Figures {
    let (mut init, mut first) = (Vec::new(), Vec::new());
    let mut last = None;
    for _ in 0..PROCESSES {
        let begun = Instant::now();
        let mut process = Process::start(launch).await.unwrap();
        init.push(milliseconds(begun.elapsed()));
        first.push(milliseconds(invoke(&mut process, event).await));
        last = Some(process);
    }
    let mut process = last.unwrap();
    for _ in 0..WARMING {
        invoke(&mut process, event).await;
    }
    let id = process.id().unwrap();
    let before = cpu_of_threads(id);
    let mut warm = Vec::new();
    for _ in 0..WARM {
        warm.push(milliseconds(invoke(&mut process, event).await) * 1_000.0);
    }
    let cpu = cpu_of_threads(id).saturating_sub(before);
    let (memory, peak_memory) = memory_mib(id);
    Figures {
        init: percentile(&init, 0.5),
        first: percentile(&first, 0.5),
        warm: percentile(&warm, 0.5),
        cpu: milliseconds(cpu) * 1_000.0 / f64::from(WARM),
        memory,
        peak_memory,
    }
}

/// Gives a process an event, and insists on success; how long it took.
async fn invoke(process: &mut Process, event: &Bytes) -> Duration {
    let begun = Instant::now();
    let answer = process.invoke(event.clone(), TIMEOUT).await.unwrap();
    let taken = begun.elapsed();
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    let succeeded = answer["statusCode"]
        .as_u64()
        .map_or(answer == json!({ "batchItemFailures": [] }), |status| {
            status < 300
        });
    assert!(succeeded, "{answer}");
    taken
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// The functions that are measured, each with an event that it can be given again and again.
async fn events(world: &World) -> Vec<(&'static str, Bytes)> {
    let [ada, bob] = events::ada_and_bob(world);
    let get = [&ada, &bob].map(|person| person.get("/api/v1/users/me"));
    futures::future::join_all(get).await;
    ada.open_direct(&bob).await;
    // Another conversation, in which nothing happens any more.
    let carol = world.person("carol").await;
    let delivered_in = ada.open_direct(&carol).await;
    let message = ada.says(&delivered_in, "The entry that the job speaks of").await;
    world.settled().await;
    tokio::spawn(carol.connect().await.drain());

    let mut send = events::by(&ada, "send-message");
    // Each a message of its own.
    send["body"] = Value::from(json!({ "content": "Hello, Bob!" }).to_string());
    vec![
        ("GetMe", Bytes::from(events::by(&ada, "get-me").to_string())),
        ("SendMessage", Bytes::from(send.to_string())),
        ("Deliver", job(&delivered_in, &message, [&ada, &carol])),
    ]
}

/// The event with the job of one message.
fn job(conversation: &str, message: &Value, people: [&Person; 2]) -> Bytes {
    let mut pair = people.map(|person| person.id);
    pair.sort();
    let job = json!({
        "conversation": conversation,
        "event": { "kind": "entry", "seq": 1, "message": message["id"], "queued_at": message["created_at"] },
        "to": { "pair": pair },
    });
    let record = json!({ "messageId": "1", "body": job.to_string() });
    Bytes::from(json!({ "Records": [record] }).to_string())
}

/// The name of a function's binary in a folder, and how it is started; none if it is not there.
fn launch(function: &str, folder: &Path, https: &Https) -> Option<(String, Launch)> {
    let unlimited = [
        "RATE_LIMIT_SENDS_PER_MINUTE",
        "RATE_LIMIT_REQUESTS_PER_MINUTE",
        "RATE_LIMIT_FRAMES_PER_SECOND",
        "RATE_LIMIT_CONNECTS_PER_MINUTE",
    ];
    let unlimited = unlimited.map(|name| (name.to_owned(), "0".to_owned()));
    let template = environment::template(&BTreeMap::new()).unwrap();
    let spec = template.function(function).unwrap();
    let addresses = Addresses::at(&https.address, &https.address);
    let mut environment = environment::settings(
        function,
        &spec.environment,
        &BTreeMap::from(unlimited),
        &addresses,
    );
    let queue = environment["FANOUT_QUEUE_URL"].replace("FanoutQueue", FANOUT_DEAD);
    environment.insert("FANOUT_QUEUE_URL".to_owned(), queue);
    environment.insert(
        "SSL_CERT_FILE".to_owned(),
        https.authorities.display().to_string(),
    );
    let launch = Launch {
        function: function.to_owned(),
        program: processes::find(folder, &spec.binary).ok()?,
        memory_mb: spec.memory_mb,
        environment,
        log: Arc::new(|_| {}),
    };
    Some((spec.binary.clone(), launch))
}

/// The embedded services behind TLS, with a certificate of their own.
struct Https {
    address: String,
    /// What the system trusts and, last, the authority of that certificate.
    authorities: PathBuf,
    accepting: AbortHandle,
    _folder: tempfile::TempDir,
}

impl Https {
    async fn start(services: Services) -> Self {
        let folder = tempfile::tempdir().unwrap();
        certify(folder.path());
        let chain = CertificateDer::pem_file_iter(folder.path().join("server.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(folder.path().join("server.key")).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain.map(Result::unwrap).collect(), key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).ok();
                let (acceptor, services) = (acceptor.clone(), services.clone());
                tokio::spawn(async move {
                    // A process that ends leaves its handshake or its connection in the middle.
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    loopback::converse(stream, |request| services::answer(&services, request)).await;
                });
            }
        });
        let mut authorities = std::fs::read(SYSTEM_AUTHORITIES).unwrap_or_default();
        authorities.extend(std::fs::read(folder.path().join("authority.pem")).unwrap());
        let path = folder.path().join("authorities.pem");
        std::fs::write(&path, authorities).unwrap();
        Self {
            address,
            authorities: path,
            accepting: accepting.abort_handle(),
            _folder: folder,
        }
    }
}

impl Drop for Https {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Makes an authority, and a certificate for `localhost` that it vouches for.
fn certify(folder: &Path) {
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl")
            .args(arguments)
            .current_dir(folder)
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "openssl {arguments:?}: {error}");
    };
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let authority = ["req", "-x509", "-subj", "/CN=Benchmark", "-days", "1"];
    let authority_files = ["-keyout", "authority.key", "-out", "authority.pem"];
    openssl(&[&authority[..], &key, &authority_files].concat());
    let request = [
        "req",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
    ];
    openssl(
        &[
            &request[..],
            &key,
            &["-keyout", "server.key", "-out", "server.csr"],
        ]
        .concat(),
    );
    let sign = [
        "x509",
        "-req",
        "-in",
        "server.csr",
        "-CA",
        "authority.pem",
        "-CAkey",
        "authority.key",
    ];
    let how = [
        "-CAcreateserial",
        "-days",
        "1",
        "-copy_extensions",
        "copy",
        "-out",
        "server.pem",
    ];
    openssl(&[&sign[..], &how].concat());
}
