//! The schemas of a document: what schemars says of a type, gathered under `components/schemas`.

mod tidy;

use schemars::generate::{Contract, SchemaSettings};
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

pub(crate) use tidy::never_null;

/// Where a document keeps its schemas.
const POINTER: &str = "#/components/schemas/";
/// Names that many route files give to a type of their own; the document sets the route's name in front.
const LOCAL: [&str; 5] = ["Body", "Input", "Output", "Path", "Query"];

/// What a type's schema is asked for.
pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// The schemas of a document, gathered while the rest of it is written.
pub(crate) struct Schemas {
    settings: SchemaSettings,
    components: Map<String, Value>,
    /// The same before names were changed, to tell one type from another of the same name.
    originals: Map<String, Value>,
}

/// A schema and the types that it speaks of.
struct Found {
    root: Value,
    definitions: Map<String, Value>,
}

impl Schemas {
    /// For OpenAPI 3.1, whose schemas are JSON Schema 2020-12.
    pub(crate) fn of_openapi() -> Self {
        Self::new(SchemaSettings::draft2020_12())
    }

    /// For AsyncAPI 3.0, whose schemas are a superset of JSON Schema 7.
    pub(crate) fn of_asyncapi() -> Self {
        Self::new(SchemaSettings::draft07())
    }

    fn new(settings: SchemaSettings) -> Self {
        let settings = settings.with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self {
            settings,
            components: Map::new(),
            originals: Map::new(),
        }
    }

    /// Adds a schema that no type stands for.
    pub(crate) fn add(&mut self, name: &str, schema: Value) {
        self.originals.insert(name.to_owned(), schema.clone());
        self.components.insert(name.to_owned(), schema);
    }

    /// What a client sends, as a reference to a component; none where there is nothing to send.
    pub(crate) fn input(&mut self, owner: &str, schema: SchemaOf) -> Option<Value> {
        let found = self.find(schema, Contract::Deserialize);
        self.reference(owner, found)
    }

    /// What the server answers, as a reference to a component; none where there is nothing to say.
    pub(crate) fn output(&mut self, owner: &str, schema: SchemaOf) -> Option<Value> {
        let found = self.find(schema, Contract::Serialize);
        self.reference(owner, found)
    }

    /// What a client sends, in place.
    pub(crate) fn inline_input(&mut self, owner: &str, schema: SchemaOf) -> Value {
        let found = self.find(schema, Contract::Deserialize);
        self.inline(owner, found)
    }

    /// What the server sends, in place.
    pub(crate) fn inline_output(&mut self, owner: &str, schema: SchemaOf) -> Value {
        let found = self.find(schema, Contract::Serialize);
        self.inline(owner, found)
    }

    /// The schema that a reference stands for, or the schema itself.
    pub(crate) fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        name_of(schema)
            .and_then(|name| self.components.get(name))
            .unwrap_or(schema)
    }

    /// The components, by name.
    pub(crate) fn into_components(self) -> Value {
        let mut components: Vec<(String, Value)> = self.components.into_iter().collect();
        components.sort_by(|one, other| one.0.cmp(&other.0));
        Value::Object(components.into_iter().collect())
    }

    fn find(&self, schema: SchemaOf, contract: Contract) -> Found {
        let is_output = contract == Contract::Serialize;
        let mut generator = self
            .settings
            .clone()
            .with(|settings| settings.contract = contract)
            .into_generator();
        let mut root = schema(&mut generator).to_value();
        let mut definitions = generator.take_definitions(true);
        for schema in definitions.values_mut().chain([&mut root]) {
            tidy::simplify(schema);
            if is_output {
                tidy::never_null_unless_required(schema);
            }
        }
        tidy::write_tags_out(&mut root, &mut definitions);
        Found { root, definitions }
    }

    fn reference(&mut self, owner: &str, found: Found) -> Option<Value> {
        if name_of(&found.root) == Some("Nothing") || found.root.get("type") == Some(&json!("null")) {
            return None;
        }
        let root = self.adopt(owner, found);
        // Where the type says nothing at all: this API speaks in objects.
        Some(if root.as_object().is_some_and(|fields| !fields.is_empty()) {
            root
        } else {
            json!({ "type": "object" })
        })
    }

    fn inline(&mut self, owner: &str, mut found: Found) -> Value {
        let name = name_of(&found.root).map(str::to_owned);
        if let Some(root) = name.and_then(|name| found.definitions.shift_remove(&name)) {
            found.root = root;
        }
        self.adopt(owner, found)
    }

    /// Takes the definitions over, under other names where theirs are too common or taken by another type.
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
