//! The schemas of a document: those that schemars generates for types, collected under `components/schemas`.

mod tidy;

use schemars::generate::{Contract, SchemaSettings};
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

pub(crate) use tidy::never_null;

/// The path of a document's schemas.
const POINTER: &str = "#/components/schemas/";
/// Names that many route files use for a type of their own; the document prefixes them with the route's name.
const LOCAL: [&str; 5] = ["Body", "Input", "Output", "Path", "Query"];

/// The function that generates a type's schema.
pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// The schemas of a document, collected while the rest is generated.
pub(crate) struct Schemas {
    settings: SchemaSettings,
    /// Whether each gets an `$id`, from which AsyncAPI generators derive type names.
    has_anchors: bool,
    components: Map<String, Value>,
    /// The same before renaming, to distinguish types of the same name.
    originals: Map<String, Value>,
}

/// A frame of the WebSocket.
pub(crate) struct Frame {
    /// The name of its component; by default that of its type.
    pub(crate) name: Option<String>,
    /// Its `type`; none if there are several.
    pub(crate) tag: Option<&'static str>,
    /// Its schema without `type`.
    pub(crate) schema: SchemaOf,
}

/// A schema and the types that it refers to.
struct Found {
    root: Value,
    definitions: Map<String, Value>,
}

impl Found {
    /// Transforms the schema and each of its types.
    fn each(&mut self, change: impl Fn(&mut Value)) {
        self.definitions
            .values_mut()
            .chain([&mut self.root])
            .for_each(change);
    }
}

impl Schemas {
    /// For OpenAPI 3.1, whose schemas are JSON Schema 2020-12.
    pub(crate) fn of_openapi() -> Self {
        Self::new(SchemaSettings::draft2020_12(), false)
    }

    /// For AsyncAPI 3.0, whose schemas are a superset of JSON Schema 7.
    pub(crate) fn of_asyncapi() -> Self {
        Self::new(SchemaSettings::draft07(), true)
    }

    fn new(settings: SchemaSettings, has_anchors: bool) -> Self {
        let settings = settings.with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self {
            settings,
            has_anchors,
            components: Map::new(),
            originals: Map::new(),
        }
    }

    /// Adds a schema without a type, and refers to it.
    pub(crate) fn add(&mut self, name: &str, schema: Value) -> Value {
        self.originals.insert(name.to_owned(), schema.clone());
        self.components.insert(name.to_owned(), schema);
        json!({ "$ref": format!("{POINTER}{name}") })
    }

    /// The body of a request, as a reference to a component; none if there is no body.
    ///
    /// Without defaults: generators such as openapi-typescript treat a field with a default as always present, and so
    /// require it in requests. The description mentions the default instead.
    pub(crate) fn input(&mut self, owner: &str, schema: SchemaOf) -> Option<Value> {
        let mut found = self.find(schema, Contract::Deserialize);
        found.each(tidy::defaults_to_words);
        self.reference(owner, found)
    }

    /// The body of a response, as a reference to a component; none if there is no body.
    pub(crate) fn output(&mut self, owner: &str, schema: SchemaOf) -> Option<Value> {
        let found = self.find(schema, Contract::Serialize);
        self.reference(owner, found)
    }

    /// The parameters of a request, inline.
    pub(crate) fn parameters(&mut self, owner: &str, schema: SchemaOf) -> Value {
        let mut found = self.find(schema, Contract::Deserialize);
        let name = name_of(&found.root).map(str::to_owned);
        if let Some(root) = name.and_then(|name| found.definitions.shift_remove(&name)) {
            found.root = root;
        }
        self.adopt(owner, found)
    }

    /// A frame, as a reference to a component with this name, or that of its type. `change` may extend it.
    pub(crate) fn frame(&mut self, frame: &Frame, change: impl FnOnce(&mut Value)) -> Value {
        let contract = match frame.name {
            // Only the client's frames have other names than their types.
            Some(_) => Contract::Deserialize,
            None => Contract::Serialize,
        };
        let mut found = self.find(frame.schema, contract);
        found.each(tidy::defaults_to_words);
        found.each(tidy::unwrap_references);
        let own = name_of(&found.root).map(str::to_owned);
        if let Some(root) = own.as_ref().and_then(|name| found.definitions.shift_remove(name)) {
            found.root = root;
        }
        let name = frame.name.clone().or(own).unwrap_or_default();
        let mut schema = self.adopt(&name, found);
        if let Some(tag) = frame.tag {
            tidy::with_tag(&mut schema, "type", tag);
        }
        change(&mut schema);
        self.add(&name, schema)
    }

    /// The target of a reference, or the schema itself.
    pub(crate) fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        name_of(schema)
            .and_then(|name| self.components.get(name))
            .unwrap_or(schema)
    }

    /// The components, by name. Each has a title, and nested objects and enumerations become components too, so that
    /// generators can name their types.
    pub(crate) fn into_components(mut self) -> Value {
        let mut named = Map::new();
        while !self.components.is_empty() {
            let mut within = Map::new();
            for (name, mut schema) in std::mem::take(&mut self.components) {
                tidy::take_nested_out(&name, &mut schema, &mut within);
                if let Some(fields) = schema.as_object_mut() {
                    fields.shift_remove("title");
                    fields.shift_insert(0, "title".to_owned(), name.clone().into());
                    if self.has_anchors {
                        // An anchor, which does not change the base of the references within.
                        fields.shift_insert(1, "$id".to_owned(), format!("#{name}").into());
                    }
                }
                named.insert(name, schema);
            }
            self.components = within;
        }
        named.sort_keys();
        Value::Object(named)
    }

    fn find(&self, schema: SchemaOf, contract: Contract) -> Found {
        let is_output = contract == Contract::Serialize;
        let mut generator = self
            .settings
            .clone()
            .with(|settings| settings.contract = contract)
            .into_generator();
        let root = schema(&mut generator).to_value();
        let definitions = generator.take_definitions(true);
        let mut found = Found { root, definitions };
        found.each(|schema| {
            tidy::simplify(schema);
            if is_output {
                tidy::never_null_unless_required(schema);
                tidy::without_defaults(schema);
            }
        });
        tidy::name_variants(&mut found.root, &mut found.definitions);
        found
    }

    fn reference(&mut self, owner: &str, found: Found) -> Option<Value> {
        if name_of(&found.root) == Some("Nothing") || found.root.get("type") == Some(&json!("null")) {
            return None;
        }
        let root = self.adopt(owner, found);
        // Types without any constraint: this API uses objects.
        Some(if root.as_object().is_some_and(|fields| !fields.is_empty()) {
            root
        } else {
            json!({ "type": "object" })
        })
    }

    /// Adds the definitions, renamed if their names are too common or used by another type.
    fn adopt(&mut self, owner: &str, mut found: Found) -> Value {
        let taken =
            |name: &str, schema: &Value| self.originals.get(name).is_some_and(|known| known != schema);
        let renamed: Map<String, Value> = found
            .definitions
            .iter()
            .filter(|(name, schema)| LOCAL.contains(&name.as_str()) || taken(name, schema))
            .map(|(name, _)| (name.clone(), format!("{}{name}", pascal(owner)).into()))
            .collect();
        for (name, original) in found.definitions {
            let name = renamed
                .get(&name)
                .and_then(Value::as_str)
                .unwrap_or(&name)
                .to_owned();
            let mut schema = original.clone();
            tidy::rename(&mut schema, &renamed);
            self.originals.entry(name.clone()).or_insert(original);
            self.components.entry(name).or_insert(schema);
        }
        tidy::rename(&mut found.root, &renamed);
        found.root
    }
}

/// The name of the component that a schema refers to.
fn name_of(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix(POINTER)
}

/// `send_message` as `SendMessage`.
pub(crate) fn pascal(name: &str) -> String {
    let capitalized = |word: &str| {
        let mut characters = word.chars();
        characters
            .next()
            .map(|first| first.to_uppercase().chain(characters).collect::<String>())
            .unwrap_or_default()
    };
    name.split('_').map(capitalized).collect()
}
