//! Simplification of schemas for documentation pages.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{POINTER, name_of};

/// Simplifies what schemars generates.
pub(super) fn simplify(value: &mut Value) {
    each_child(value, simplify);
    let Some(schema) = value.as_object_mut() else {
        return;
    };
    // The width of a Rust number is irrelevant; its bounds are kept.
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
    // A choice of constants becomes an enumeration.
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

/// Makes each variant of a tagged enum a component of its own, including the tag, and the enum a choice of references.
/// If all tags differ, the tag becomes the discriminator.
pub(super) fn name_variants(root: &mut Value, definitions: &mut Map<String, Value>) {
    let untagged = definitions.clone();
    let mut tagged = Map::new();
    for schema in definitions.values_mut().chain([root]) {
        take_tags(schema, &untagged, &mut tagged);
    }
    definitions.extend(tagged);
}

/// Replaces nested tagged variants by references, and adds their components, including the tag.
fn take_tags(value: &mut Value, definitions: &Map<String, Value>, tagged: &mut Map<String, Value>) {
    each_child(value, |child| take_tags(child, definitions, tagged));
    let Some(fields) = value.as_object_mut() else {
        return;
    };
    let Some(list) = ["oneOf", "anyOf"]
        .into_iter()
        .find(|list| fields.contains_key(*list))
    else {
        return;
    };
    let Some(Value::Array(variants)) = fields.get(list) else {
        return;
    };
    let parts: Option<Vec<_>> = variants
        .iter()
        .map(|variant| Variant::of(variant, definitions))
        .collect();
    let Some(parts) = parts.filter(|parts| !parts.is_empty()) else {
        return;
    };
    let references = parts
        .iter()
        .map(|variant| json!({ "$ref": format!("{POINTER}{}", variant.name) }));
    let references: Vec<Value> = references.collect();
    let tags: BTreeSet<&str> = parts.iter().map(|variant| variant.tag.as_str()).collect();
    if tags.len() == parts.len() {
        let mapping: Map<String, Value> = parts
            .iter()
            .map(|variant| (variant.tag.clone(), format!("{POINTER}{}", variant.name).into()))
            .collect();
        let field = parts.first().map(|variant| variant.field.clone());
        let discriminator = json!({ "propertyName": field, "mapping": mapping });
        fields.insert("discriminator".to_owned(), discriminator);
    }
    fields.shift_remove(list);
    fields.insert("oneOf".to_owned(), references.into());
    tagged.extend(parts.into_iter().map(|variant| (variant.name, variant.schema)));
}

/// A variant of a tagged enum.
struct Variant {
    name: String,
    field: String,
    tag: String,
    schema: Value,
}

impl Variant {
    /// Parses a reference beside a tag.
    fn of(variant: &Value, definitions: &Map<String, Value>) -> Option<Self> {
        let name = name_of(variant)?;
        let tags = variant.get("properties")?.as_object()?;
        let (field, constant) = tags.iter().next()?;
        let tag = constant.get("const")?.as_str()?;
        let mut schema = definitions.get(name)?.clone();
        with_tag(&mut schema, field, tag);
        Some(Self {
            name: name.to_owned(),
            field: field.clone(),
            tag: tag.to_owned(),
            schema,
        })
    }
}

/// Moves a field with a constant value to the front.
pub(super) fn with_tag(schema: &mut Value, field: &str, tag: &str) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    let mut properties = Map::from_iter([(field.to_owned(), json!({ "type": "string", "const": tag }))]);
    if let Some(Value::Object(rest)) = fields.shift_remove("properties") {
        properties.extend(rest);
    }
    let mut required = vec![json!(field)];
    if let Some(Value::Array(rest)) = fields.shift_remove("required") {
        required.extend(rest);
    }
    fields.insert("properties".to_owned(), properties.into());
    fields.insert("required".to_owned(), required.into());
}

/// Moves nested objects and enumerations into components of their own.
pub(super) fn take_nested_out(owner: &str, schema: &mut Value, taken: &mut Map<String, Value>) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    for (key, value) in fields {
        match (key.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                for (name, property) in properties {
                    take_out(&format!("{owner}{}", super::pascal(name)), property, taken);
                }
            }
            ("oneOf" | "anyOf" | "allOf", Value::Array(variants)) => {
                for variant in variants {
                    take_out(owner, variant, taken);
                }
            }
            ("items" | "additionalProperties", item) => take_out(&format!("{owner}Item"), item, taken),
            _ => {}
        }
    }
}

fn take_out(name: &str, schema: &mut Value, taken: &mut Map<String, Value>) {
    if schema.get("properties").is_none() && schema.get("enum").is_none() {
        take_nested_out(name, schema, taken);
        return;
    }
    let title = schema.get("title").and_then(Value::as_str);
    let name = title.unwrap_or(name).to_owned();
    let reference = json!({ "$ref": format!("{POINTER}{name}") });
    taken.insert(name, std::mem::replace(schema, reference));
}

/// Describes the default of a field in words.
pub(super) fn defaults_to_words(value: &mut Value) {
    each_child(value, defaults_to_words);
    let required = value.get("required").cloned().unwrap_or_default();
    let is_required = |name: &String| {
        required
            .as_array()
            .is_some_and(|names| names.contains(&json!(name)))
    };
    let Some(Value::Object(properties)) = value.get_mut("properties") else {
        return;
    };
    for (name, property) in properties {
        let Some(property) = property.as_object_mut() else {
            continue;
        };
        let Some(default) = property
            .shift_remove("default")
            .filter(|default| !default.is_null() && !is_required(name))
        else {
            continue;
        };
        let default = default
            .as_str()
            .map_or_else(|| default.to_string(), str::to_owned);
        let description = property
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let description = format!("{description} Defaults to `{default}`.");
        property.insert("description".to_owned(), description.trim().into());
    }
}

/// In responses a field is present or absent: there are no defaults.
pub(super) fn without_defaults(value: &mut Value) {
    each_child(value, without_defaults);
    if let Some(Value::Object(properties)) = value.get_mut("properties") {
        for property in properties.values_mut().filter_map(Value::as_object_mut) {
            property.shift_remove("default");
        }
    }
}

/// Replaces a choice with a single reference by the reference. Siblings are dropped: JSON Schema 7 does not allow them,
/// and generators create an unnamed type for the wrapper.
pub(super) fn unwrap_references(value: &mut Value) {
    each_child(value, unwrap_references);
    if let Some([only]) = value.get("allOf").and_then(Value::as_array).map(Vec::as_slice)
        && only.get("$ref").is_some()
    {
        *value = only.clone();
    }
}

/// Updates references to renamed components.
pub(super) fn rename(value: &mut Value, renamed: &Map<String, Value>) {
    let new = name_of(value)
        .and_then(|name| renamed.get(name))
        .and_then(Value::as_str);
    if let (Some(new), Some(fields)) = (new.map(|name| format!("{POINTER}{name}")), value.as_object_mut()) {
        fields.insert("$ref".to_owned(), new.into());
    }
    each_child(value, |child| rename(child, renamed));
}

/// Optional fields of responses are absent rather than null.
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

/// Removes null from the allowed types.
pub(crate) fn never_null(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    if let Some(Value::Array(types)) = fields.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            fields.insert("type".to_owned(), only);
            // The default belongs to the nested type; it is not the meaning of an absent field.
            fields.shift_remove("default");
        }
    }
    if let Some(Value::Array(choices)) = fields.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type") != Some(&json!("null")));
        if choices.len() == 1 {
            // Not on the reference itself: JSON Schema 7 does not allow siblings.
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
