//! What stands in two places is the same in both: code, template, binaries, events and documents.
//!
//! Every failure says what to write where. `UPDATE=1 cargo t in_sync` writes what is generated. Here is what goes by
//! the list of functions; [`apis`] compares routes and frames with the template, [`roles`] what functions may do, [`stack`]
//! the rest of it, and [`size`] counts.

mod apis;
mod roles;
mod size;
mod stack;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Once;

use local_gateway::template::{Sources, Template};
use serde_json::{Value, json};
use serde_yaml_ng::Value as Yaml;
use shared::http::AnyEndpoint;
use shared::lambda::{Function, Trigger};

/// The most lines of a binary's file: it says nothing that its function does not.
const MOST_LINES_OF_A_BINARY: usize = 12;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
}

/// A file as it is; with `UPDATE`, after everything that is generated was written.
fn read(path: &str) -> String {
    static UPDATED: Once = Once::new();
    UPDATED.call_once(|| {
        if std::env::var_os("UPDATE").is_some() {
            for (path, text) in generated() {
                std::fs::write(root().join(&path), text).unwrap_or_else(|error| panic!("{path}: {error}"));
            }
        }
    });
    as_it_is(path)
}

fn as_it_is(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The template as the desk reads it.
fn template() -> Template {
    let nothing = Sources {
        parameters: &|_| None,
        attributes: &|_, _| None,
        templates: &|path| Some(read(path)),
    };
    Template::parse(&read("template.yaml"), &nothing).unwrap_or_else(|error| panic!("template.yaml: {error}"))
}

/// The template as it stands there, for what the desk has no use for.
fn raw_template() -> Yaml {
    yaml("template.yaml")
}

fn yaml(path: &str) -> Yaml {
    serde_yaml_ng::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The nested stacks of the template, by their paths.
fn nested_stacks() -> Vec<(String, Yaml)> {
    let raw = raw_template();
    let paths = resources(&raw)
        .filter(|(_, kind, _)| *kind == "AWS::CloudFormation::Stack")
        .filter_map(|(_, _, properties)| at(properties, &["TemplateURL"]).as_str());
    paths.map(|path| (path.to_owned(), yaml(path))).collect()
}

/// A value by the names that lead to it; null if one of them leads nowhere.
fn at<'a>(yaml: &'a Yaml, path: &[&str]) -> &'a Yaml {
    const NOTHING: &Yaml = &Yaml::Null;
    path.iter()
        .fold(yaml, |yaml, name| yaml.get(name).unwrap_or(NOTHING))
}

fn fields(yaml: &Yaml) -> impl Iterator<Item = (&str, &Yaml)> {
    yaml.as_mapping()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.as_str()?, value)))
}

/// The resources of the template: logical id, type and properties.
fn resources(template: &Yaml) -> impl Iterator<Item = (&str, &str, &Yaml)> {
    fields(at(template, &["Resources"])).filter_map(|(id, resource)| {
        Some((
            id,
            at(resource, &["Type"]).as_str()?,
            at(resource, &["Properties"]),
        ))
    })
}

/// The name of a function in the template: `send_message` is `SendMessage`.
fn logical_id(name: &str) -> String {
    let mut id = String::new();
    for word in name.split('_') {
        let (first, rest) = word.split_at(word.len().min(1));
        id.push_str(&first.to_ascii_uppercase());
        id.push_str(rest);
    }
    id
}

/// Fails unless both sides are the same, with what to add and what to take away.
fn assert_same<T: Ord>(place: &str, wanted: &BTreeSet<T>, found: &BTreeSet<T>, line: impl Fn(&T) -> String) {
    let lines = |title: &str, items: Vec<&T>| match items.as_slice() {
        [] => String::new(),
        items => format!(
            "\n{title} {place}:\n\n{}\n",
            items.iter().map(|item| line(item)).collect::<Vec<_>>().join("\n")
        ),
    };
    let missing = lines("add to", wanted.difference(found).collect());
    let left_over = lines("take out of", found.difference(wanted).collect());
    assert!(wanted == found, "{missing}{left_over}");
}

/// The HTTP functions, each with every path that it answers.
fn routes(functions: &[Function]) -> Vec<(&AnyEndpoint, Vec<String>)> {
    let mut routes = Vec::new();
    for function in functions {
        if let Trigger::Http(entry) = &function.trigger {
            routes.push((entry, entry.route.paths()));
        }
    }
    routes
}

#[test]
fn every_function_has_a_binary_that_only_starts_it() {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap_or_else(|error| panic!("cargo metadata: {error}"));
    let metadata: Value =
        serde_json::from_slice(&metadata.stdout).unwrap_or_else(|error| panic!("cargo metadata: {error}"));
    let default_members = list(&metadata, "/workspace_default_members");
    let mut found = BTreeSet::new();
    for package in list(&metadata, "/packages") {
        let within = root().join("functions");
        if !Path::new(text(package, "/manifest_path")).starts_with(within) {
            continue;
        }
        assert!(
            package.get("id").is_some_and(|id| default_members.contains(id)),
            "`cargo lambda build` leaves {} out: add its folder to default-members in Cargo.toml",
            text(package, "/name")
        );
        for target in list(package, "/targets")
            .iter()
            .filter(|target| target.pointer("/kind/0") == Some(&json!("bin")))
        {
            let (krate, binary) = (text(package, "/name"), text(target, "/name"));
            let source = read(text(target, "/src_path"));
            let start = format!(
                "shared::lambda::serve(&{krate}::{})",
                binary.replace('-', "_").to_uppercase()
            );
            let is_thin = source.lines().count() <= MOST_LINES_OF_A_BINARY && source.contains(&start);
            assert!(
                is_thin,
                "the main of {binary} is to be:\n\n{}",
                thin_main(krate, binary)
            );
            found.insert(binary.to_owned());
        }
    }
    let wanted = local::functions().iter().map(Function::binary).collect();
    assert_same("functions/(domain)/src/bin/", &wanted, &found, |binary| {
        format!("{binary}.rs:\n\n{}", thin_main("(domain)", binary))
    });
}

fn thin_main(krate: &str, binary: &str) -> String {
    let name = binary.replace('-', "_");
    format!(
        "//! Lambda entry point of [`{krate}::{name}`].\n\nfn main() -> std::process::ExitCode {{\n    \
         shared::lambda::serve(&{krate}::{})\n}}\n",
        name.to_uppercase()
    )
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[test]
fn every_function_has_an_event() {
    let wanted = local::functions()
        .iter()
        .map(|function| format!("events/{}.json", function.binary()))
        .collect();
    // Those of routes are there by now.
    read("template.yaml");
    assert_same("events/", &wanted, &files_in("events"), |file| {
        format!("{file}: an event that the function answers with success")
    });
}

/// The files of a folder.
fn files_in(folder: &str) -> BTreeSet<String> {
    let files = std::fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    files
        .flatten()
        .map(|file| format!("{folder}/{}", file.file_name().to_string_lossy()))
        .collect()
}

fn pretty(document: &Value) -> String {
    serde_json::to_string_pretty(document).unwrap_or_default() + "\n"
}

/// The list of routes that functions tell a wrong method by.
fn list_of_routes(functions: &[Function]) -> String {
    let mut lines = BTreeSet::new();
    for (entry, paths) in routes(functions) {
        let named = paths.into_iter().filter(|path| path != "$default");
        lines.extend(named.flat_map(|path| {
            let methods = entry.methods().into_iter();
            methods.map(move |method| format!("{method} {path}\n"))
        }));
    }
    lines.into_iter().collect()
}

/// The events of routes, from their examples. Those of sockets, queues and schedules are by hand.
fn events(functions: &[Function]) -> Vec<(String, String)> {
    let mut events = Vec::new();
    for function in functions {
        let Trigger::Http(entry) = &function.trigger else {
            continue;
        };
        let roles: &[&str] = if entry.route.needs.is_some() {
            &["super_admin"]
        } else {
            &[]
        };
        let token =
            (!entry.is_public).then(|| local::demo::token_of_events(entry.example_caller, roles).unwrap());
        let event = documents::events::of_route(entry, token.as_deref());
        events.push((format!("events/{}.json", function.binary()), pretty(&event)));
    }
    events
}

/// The stacks of these functions, written anew, by their names. What is by hand in a block stays with its function.
fn stacks_of(functions: &[Function]) -> Vec<(&'static str, String)> {
    let before: String = files_in("stacks").iter().map(|path| as_it_is(path)).collect();
    let names = documents::stacks::names(functions).into_iter();
    names
        .map(|name| (name, documents::stacks::stack(name, &before, functions)))
        .collect()
}

/// The templates, and what names every stack of functions: what the desk has of them within it, and what checkov reads.
fn templates(functions: &[Function]) -> Vec<(String, String)> {
    let stacks = stacks_of(functions);
    let template = documents::stacks::root(&as_it_is("template.yaml"), functions, &stacks);
    let template = template.unwrap_or_else(|error| panic!("template.yaml: {error}"));
    let paths: Vec<String> = stacks
        .iter()
        .map(|(name, _)| documents::stacks::path(name))
        .collect();
    let included: Vec<String> = paths
        .iter()
        .map(|path| format!("    (\"{path}\", include_str!(\"../../{path}\")),\n"))
        .collect();
    let included = format!(
        "//! The stacks of functions, by the paths that the template has for them. `UPDATE=1 cargo t in_sync` writes \
         it.\n\n/// Path and template of each.\n#[rustfmt::skip] // As it is written.\npub(crate) const STACKS: \
         &[(&str, &str)] = &[\n{}];\n",
        included.concat()
    );
    let checked = as_it_is(".checkov.yaml");
    let line = |line: &str| match line.strip_prefix("file: ") {
        Some(_) => format!("file: [template.yaml, {}]", paths.join(", ")),
        None => line.to_owned(),
    };
    let checked: Vec<String> = checked.lines().map(line).collect();
    let mut written = vec![
        ("template.yaml".to_owned(), template),
        ("local/src/stacks.rs".to_owned(), included),
        (".checkov.yaml".to_owned(), checked.join("\n") + "\n"),
    ];
    written.extend(paths.into_iter().zip(stacks.into_iter().map(|(_, stack)| stack)));
    written
}

/// Everything that is written from the list of functions: paths and texts.
fn generated() -> Vec<(String, String)> {
    let functions = local::functions();
    let mut files = vec![
        (
            "shared/src/http/routes.txt".to_owned(),
            list_of_routes(&functions),
        ),
        (
            "openapi.json".to_owned(),
            pretty(&documents::openapi::document(&functions)),
        ),
        (
            "asyncapi.json".to_owned(),
            pretty(&documents::asyncapi::document(&functions)),
        ),
    ];
    files.extend(templates(&functions));
    files.extend(events(&functions));
    files
}

#[test]
fn what_is_generated_is_written() {
    let stacks = read("template.yaml").matches("TemplateURL: ").count();
    assert_eq!(
        files_in("stacks").len(),
        stacks,
        "remove the file in stacks/ that no domain names"
    );
    for (path, text) in generated() {
        let found = std::fs::read_to_string(root().join(&path)).unwrap_or_default();
        let differs = text.lines().zip(found.lines()).position(|(new, old)| new != old);
        let line = differs.unwrap_or_else(|| text.lines().count().min(found.lines().count()));
        let of = |text: &str| text.lines().nth(line).unwrap_or("(the end)").to_owned();
        assert!(
            found == text,
            "{path} is not what the code says: line {}\n  is         {}\n  should be  {}\n\n  UPDATE=1 cargo t in_sync",
            line + 1,
            of(&found),
            of(&text)
        );
    }
}

/// One line in a domain is enough for a stack of its own: it gets the domain's functions with what is by hand, and the
/// parameters that these need.
#[test]
fn a_domain_that_names_another_stack_is_written_into_it() {
    let mut functions = local::functions();
    for function in functions
        .iter_mut()
        .filter(|function| function.domain == "workers")
    {
        function.stack = "team";
    }
    let stacks = stacks_of(&functions);
    let root = documents::stacks::root(&read("template.yaml"), &functions, &stacks).unwrap();
    let stack = |path: &str| {
        let found = stacks
            .iter()
            .find(|(name, _)| documents::stacks::path(name) == path);
        found.map(|(_, stack)| stack.clone())
    };
    let sources = Sources {
        parameters: &|_| None,
        attributes: &|_, _| None,
        templates: &stack,
    };
    let template = Template::parse(&root, &sources).unwrap();
    assert_eq!(template.functions.len(), functions.len());
    assert_eq!(template.mappings, self::template().mappings);
    assert!(root.contains("    DependsOn: [Messaging, Team]\n"));

    let team: Yaml = serde_yaml_ng::from_str(&stack("stacks/team.yaml").unwrap()).unwrap();
    let of_team = resources(&team).map(|(id, ..)| id).collect::<Vec<_>>();
    assert_eq!(of_team, ["WorkersLogs", "Deliver", "ExportMessages", "Notify"]);
    let declared: BTreeSet<&str> = fields(at(&team, &["Parameters"])).map(|(name, _)| name).collect();
    assert!(
        declared.contains("FanoutQueueArn") && !declared.contains("JwtSecretKey"),
        "{declared:?}"
    );
    let root: Yaml = serde_yaml_ng::from_str(&root).unwrap();
    let given = at(&root, &["Resources", "Team", "Properties", "Parameters"]);
    assert_eq!(
        fields(given).map(|(name, _)| name).collect::<BTreeSet<_>>(),
        declared
    );
}
