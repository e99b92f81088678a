//! Schemas in the words that documentation pages show best.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{POINTER, name_of};

/// Says what schemars says in simpler words.
pub(super) fn simplify(value: &mut Value) {
    each_child(value, simplify);
    let Some(schema) = value.as_object_mut() else {
        return;
    };
    // How wide a number is in Rust is nobody's business; its bounds stay.
    let format = schema.get("format").and_then(Value::as_str);
    if format.is_some_and(|format| format.starts_with("uint")) {
        schema.shift_remove("format");
    }
    let Some(variants) = schema.get("oneOf").and_then(Value::as_array) else {
        return;
    };
    let constants = variants.iter().map(|variant| variant.get("const").cloned());
    let Some(words) = constants.collect::<Option<Vec<_>>>() else {
        return;
    };
    // A choice of words is a list of words.
    let meaning = |variant: &Value| {
        let word = variant.get("const")?.as_str()?;
        Some(format!("- `{word}`: {}", variant.get("description")?.as_str()?))
    };
    let meanings: Vec<String> = variants.iter().filter_map(meaning).collect();
    let description = schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let description = format!("{description}\n\n{}", meanings.join("\n"));
    schema.shift_remove("oneOf");
    schema.insert("type".to_owned(), "string".into());
    schema.insert("enum".to_owned(), words.into());
    schema.insert("description".to_owned(), description.trim().into());
}

/// Writes the variants of a tagged enum out: a tag beside a reference is understood by few tools. What is
/// then referred to nowhere goes.
pub(super) fn write_tags_out(root: &mut Value, definitions: &mut Map<String, Value>) {
    let originals = definitions.clone();
    let mut merged = BTreeSet::new();
    merge_tagged(root, &originals, &mut merged);
    definitions
        .values_mut()
        .for_each(|definition| merge_tagged(definition, &originals, &mut merged));
    let mut used = BTreeSet::new();
    note_references(root, &mut used);
    definitions
        .values()
        .for_each(|definition| note_references(definition, &mut used));
    definitions.retain(|name, _| used.contains(name) || !merged.contains(name));
}

fn merge_tagged(value: &mut Value, definitions: &Map<String, Value>, merged: &mut BTreeSet<String>) {
    each_child(value, |child| merge_tagged(child, definitions, merged));
    let Some(name) = name_of(value).map(str::to_owned) else {
        return;
    };
    let (Some(variant), Some(definition)) = (value.as_object_mut(), definitions.get(&name)) else {
        return;
    };
    let Some(Value::Object(mut properties)) = variant.shift_remove("properties") else {
        return;
    };
    let tag = properties
        .values()
        .find_map(|property| property.get("const"))
        .cloned();
    properties.extend(
        definition
            .get("properties")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default(),
    );
    let required = [variant.get("required"), definition.get("required")];
    let required: Vec<Value> = required
        .into_iter()
        .flatten()
        .filter_map(Value::as_array)
        .flatten()
        .cloned()
        .collect();
    variant.shift_remove("$ref");
    variant.insert("title".to_owned(), tag.unwrap_or_default());
    variant.insert("properties".to_owned(), properties.into());
    variant.insert("required".to_owned(), required.into());
    merged.insert(name);
}

fn note_references(value: &Value, used: &mut BTreeSet<String>) {
    used.extend(name_of(value).map(str::to_owned));
    match value {
        Value::Object(fields) => fields.values().for_each(|child| note_references(child, used)),
        Value::Array(items) => items.iter().for_each(|child| note_references(child, used)),
        _ => {}
    }
}

/// Points references to the new names.
pub(super) fn rename(value: &mut Value, renamed: &Map<String, Value>) {
    let new = name_of(value)
        .and_then(|name| renamed.get(name))
        .and_then(Value::as_str);
    if let (Some(new), Some(fields)) = (new.map(|name| format!("{POINTER}{name}")), value.as_object_mut()) {
        fields.insert("$ref".to_owned(), new.into());
    }
    each_child(value, |child| rename(child, renamed));
}

/// What the server may leave out it leaves out, and does not say null instead.
pub(super) fn never_null_unless_required(value: &mut Value) {
    each_child(value, never_null_unless_required);
    let required = value
        .get("required")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    if let Some(Value::Object(properties)) = value.get_mut("properties") {
        let optional = properties
            .iter_mut()
            .filter(|(name, _)| !required.contains(&json!(name)));
        optional.for_each(|(_, property)| never_null(property));
    }
}

/// Takes null out of what a schema allows.
pub(crate) fn never_null(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    if let Some(Value::Array(types)) = fields.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            fields.insert("type".to_owned(), only);
            // The default is that of the type within, and not what leaving it out means.
            fields.shift_remove("default");
        }
    }
    if let Some(Value::Array(choices)) = fields.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type") != Some(&json!("null")));
        if choices.len() == 1 {
            // Not the reference itself: beside one, JSON Schema 7 lets nothing stand.
            let only = fields.shift_remove("anyOf").unwrap_or_default();
            fields.insert("allOf".to_owned(), only);
            fields.shift_remove("default");
        }
    }
}

fn each_child(value: &mut Value, change: impl FnMut(&mut Value)) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(change),
        Value::Array(items) => items.iter_mut().for_each(change),
        _ => {}
    }
}
