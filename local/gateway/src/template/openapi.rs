//! The HTTP API: routes from its API document, with their throttles, and its `CorsConfiguration`.
//!
//! From "Working with `OpenAPI` definitions for HTTP APIs" and the extensions `x-amazon-apigateway-integration`,
//! `x-amazon-apigateway-any-method` and `x-amazon-apigateway-cors`.

use serde_json::Value;

use super::functions::verb;
use super::intrinsics::{Fault, blame, flag, list, number};
use super::resolve::Document;
use super::{CorsSpec, HttpApiSpec, HttpRoute, TemplateError, ThrottleSpec};

const METHODS: [&str; 9] = [
    "get",
    "put",
    "post",
    "delete",
    "options",
    "head",
    "patch",
    "trace",
    "x-amazon-apigateway-any-method",
];

pub(super) fn http_api(document: &Document<'_>) -> Result<HttpApiSpec, TemplateError> {
    let resources = document.resources("AWS::Serverless::HttpApi")?;
    let global_cors = document.raw("/Globals/HttpApi/CorsConfiguration");
    let mut spec = HttpApiSpec::default();
    match resources.as_slice() {
        [] => {
            spec.cors = global_cors
                .map(|raw| cors(document, raw))
                .transpose()
                .map_err(|message| TemplateError {
                    resource: None,
                    message: format!("Globals.HttpApi.CorsConfiguration: {message}"),
                })?;
        }
        [(id, properties)] => {
            let definition = properties.get("DefinitionBody");
            let configured = properties
                .get("CorsConfiguration")
                .or(global_cors)
                .or_else(|| definition?.get("x-amazon-apigateway-cors"));
            let read = |spec: &mut HttpApiSpec| -> Result<(), Fault> {
                spec.cors = configured.map(|raw| cors(document, raw)).transpose()?;
                definition.map_or(Ok(()), |definition| routes(document, definition, spec))?;
                let settings = properties.get("RouteSettings").and_then(Value::as_object);
                for (key, raw) in settings.into_iter().flatten() {
                    let throttle = throttle(document, raw).map_err(|fault| format!("{key}: {fault}"))?;
                    *place_of(spec, key)? = throttle;
                }
                Ok(())
            };
            read(&mut spec).map_err(|fault| blame(id, fault))?;
        }
        [_, (second, _), ..] => return Err(blame(second, "more than one HTTP API is not supported")),
    }
    Ok(spec)
}

fn routes(document: &Document<'_>, definition: &Value, spec: &mut HttpApiSpec) -> Result<(), Fault> {
    for (path, item) in definition
        .get("paths")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if !METHODS.contains(&method.as_str()) {
                continue;
            }
            let route = format!("{} {path}", verb(method));
            let fault = |fault: Fault| format!("{route}: {fault}");
            let integration = integration(definition, operation).map_err(fault)?;
            let uri = integration
                .get("uri")
                .ok_or_else(|| fault("the integration has no uri".to_owned()))?;
            let function = document.called(uri).map_err(fault)?;
            let function =
                function.ok_or_else(|| fault("the uri names no function of this template".to_owned()))?;
            match integration.get("payloadFormatVersion") {
                Some(version) if document.text(version).map_err(fault)? == "2.0" => {}
                _ => return Err(fault("payloadFormatVersion is not \"2.0\"".to_owned())),
            }
            if path.trim_start_matches('/') == "$default" {
                spec.default_function = Some(function);
                continue;
            }
            spec.routes.push(HttpRoute {
                method: verb(method),
                path: path.clone(),
                function,
                timeout_milliseconds: number(integration, "timeoutInMillis").map_err(fault)?,
                throttle: None,
            });
        }
    }
    Ok(())
}

/// The throttle in a route's settings.
fn throttle(document: &Document<'_>, raw: &Value) -> Result<Option<ThrottleSpec>, Fault> {
    let settings = document.resolve(raw)?;
    let (rate, burst) = (
        number(&settings, "ThrottlingRateLimit")?,
        number(&settings, "ThrottlingBurstLimit")?,
    );
    match (rate, burst) {
        (Some(rate), Some(burst)) => Ok(Some(ThrottleSpec { rate, burst })),
        (None, None) => Ok(None),
        _ => Err("ThrottlingRateLimit and ThrottlingBurstLimit belong together".to_owned()),
    }
}

/// Where the throttle of a route stands. A stage with settings for a route that there is not is not deployed.
fn place_of<'s>(spec: &'s mut HttpApiSpec, key: &str) -> Result<&'s mut Option<ThrottleSpec>, Fault> {
    if key == "$default" && spec.default_function.is_some() {
        return Ok(&mut spec.default_throttle);
    }
    let mut routes = spec.routes.iter_mut();
    routes
        .find(|route| format!("{} {}", route.method, route.path) == key)
        .map(|route| &mut route.throttle)
        .ok_or_else(|| format!("RouteSettings are for {key}, which is no route"))
}

/// Finds an operation's integration, which may stand among the components.
fn integration<'v>(definition: &'v Value, operation: &'v Value) -> Result<&'v Value, Fault> {
    let integration = operation
        .get("x-amazon-apigateway-integration")
        .ok_or("it has no integration")?;
    match integration.get("$ref").and_then(Value::as_str) {
        None => Ok(integration),
        Some(place) => place
            .strip_prefix('#')
            .and_then(|pointer| definition.pointer(pointer))
            .ok_or_else(|| format!("{place} does not exist")),
    }
}

fn cors(document: &Document<'_>, raw: &Value) -> Result<CorsSpec, Fault> {
    let properties = document.resolve(raw)?;
    // SAM also takes `true`, and then allows every origin.
    if properties == Value::Bool(true) {
        return Ok(CorsSpec {
            allow_origins: vec!["*".to_owned()],
            ..CorsSpec::default()
        });
    }
    let either = |upper: &str| {
        let lower = upper.replacen(
            |_: char| true,
            &upper.get(..1).unwrap_or_default().to_ascii_lowercase(),
            1,
        );
        if properties.get(upper).is_some() {
            upper.to_owned()
        } else {
            lower
        }
    };
    Ok(CorsSpec {
        allow_origins: list(&properties, &either("AllowOrigins"))?,
        allow_methods: list(&properties, &either("AllowMethods"))?,
        allow_headers: list(&properties, &either("AllowHeaders"))?,
        expose_headers: list(&properties, &either("ExposeHeaders"))?,
        allow_credentials: flag(&properties, &either("AllowCredentials"))?,
        max_age_seconds: number(&properties, &either("MaxAge"))?,
    })
}
