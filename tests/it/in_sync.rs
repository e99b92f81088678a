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

fn read(path: &str) -> String {
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

/// Fails unless a file is what is generated, or writes it if it is asked to.
fn assert_written(path: &str, text: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(root().join(path), text).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    let found = std::fs::read_to_string(root().join(path)).unwrap_or_default();
    let first = || {
        let differs = text.lines().zip(found.lines()).position(|(new, old)| new != old);
        let line = differs.unwrap_or_else(|| text.lines().count().min(found.lines().count()));
        let of = |text: &str| text.lines().nth(line).unwrap_or("(the end)").to_owned();
        format!(
            "line {}\n  is         {}\n  should be  {}",
            line + 1,
            of(&found),
            of(text)
        )
    };
    assert!(
        found == text,
        "{path} is not what the code says: {}\n\n  UPDATE=1 cargo t in_sync",
        first()
    );
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
fn every_function_is_in_the_template_with_its_binary() {
    let wanted = local::functions()
        .iter()
        .map(|function| (logical_id(function.name), function.binary()))
        .collect();
    let stacks = nested_stacks();
    let found = stacks
        .iter()
        .flat_map(|(_, stack)| resources(stack))
        .filter(|(_, kind, _)| *kind == "AWS::Serverless::Function")
        .map(|(id, _, properties)| {
            let code = at(properties, &["CodeUri"]).as_str().unwrap_or_default();
            let binary = code
                .strip_prefix("../target/lambda/")
                .and_then(|code| code.strip_suffix('/'));
            (id.to_owned(), binary.unwrap_or(code).to_owned())
        })
        .collect();
    assert_same(
        "stacks/(its family).yaml, under Resources",
        &wanted,
        &found,
        |(id, binary)| {
            let mut functions = local::functions().into_iter();
            let rights = functions.find(|function| function.binary() == *binary);
            let policies = rights.map(|function| documents::policies::yaml(&function.rights));
            format!(
                "  {id}:\n    Type: AWS::Serverless::Function\n    Properties:\n      \
                 FunctionName: !Sub ${{RootStack}}_{binary}\n      CodeUri: ../target/lambda/{binary}/\n      \
                 LoggingConfig: {{ LogGroup: !Ref (its domain)Logs }}\n{}",
                policies.unwrap_or_default()
            )
        },
    );
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
        .map(|function| format!("{}.json", function.binary()))
        .collect();
    let files = std::fs::read_dir(root().join("events")).unwrap_or_else(|error| panic!("events: {error}"));
    let found: BTreeSet<String> = files
        .flatten()
        .map(|file| file.file_name().to_string_lossy().into_owned())
        .collect();
    assert_same("events/", &wanted, &found, |file| {
        format!("{file}: an event that the function answers with success")
    });
    for file in found {
        let event: Result<Value, _> = serde_json::from_str(&read(&format!("events/{file}")));
        assert!(
            event.is_ok_and(|event| event.is_object()),
            "events/{file} is no JSON object"
        );
    }
}

#[test]
fn the_list_of_routes_is_written() {
    let functions = local::functions();
    let mut lines = BTreeSet::new();
    for (entry, paths) in routes(&functions) {
        let named = paths.into_iter().filter(|path| path != "$default");
        lines.extend(named.flat_map(|path| {
            let methods = entry.methods().into_iter();
            methods.map(move |method| format!("{method} {path}\n"))
        }));
    }
    assert_written(
        "shared/src/http/routes.txt",
        &lines.into_iter().collect::<String>(),
    );
}

#[test]
fn the_documents_are_written() {
    let pretty = |document: &Value| serde_json::to_string_pretty(document).unwrap_or_default() + "\n";
    assert_written(
        "openapi.json",
        &pretty(&documents::openapi::document(&local::functions())),
    );
    assert_written(
        "asyncapi.json",
        &pretty(&documents::asyncapi::document(&local::functions())),
    );
}

#[test]
fn the_templates_are_written() {
    let functions = local::functions();
    let written = documents::stacks::root(&read("template.yaml"), &functions);
    assert_written(
        "template.yaml",
        &written.unwrap_or_else(|error| panic!("template.yaml: {error}")),
    );
    for (path, _) in nested_stacks() {
        let written = documents::stacks::stack(&read(&path), &functions);
        assert_written(&path, &written.unwrap_or_else(|error| panic!("{path}: {error}")));
    }
}
