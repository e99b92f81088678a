//! The WebSocket API: an `AWS::ApiGatewayV2::Api` and the resources that refer to it.

use serde_json::Value;

use super::intrinsics::{Fault, blame, list, text};
use super::resolve::Document;
use super::{AuthorizerSpec, Integration, TemplateError, WebSocketApiSpec, WebSocketRoute};
use crate::server::{ACCOUNT, REGION};

const API: &str = "AWS::ApiGatewayV2::Api";
const ROUTE: &str = "AWS::ApiGatewayV2::Route";
const INTEGRATION: &str = "AWS::ApiGatewayV2::Integration";

pub(super) fn websocket_api(document: &Document<'_>) -> Result<WebSocketApiSpec, TemplateError> {
    let mut spec = WebSocketApiSpec {
        stage: "$default".to_owned(),
        ..WebSocketApiSpec::default()
    };
    let mut api = None;
    for (id, properties) in document.resources(API)? {
        let properties = document.resolve(properties).map_err(|fault| blame(id, fault))?;
        if text(&properties, "ProtocolType") != Some("WEBSOCKET") {
            continue;
        }
        if api.replace(id).is_some() {
            return Err(blame(id, "more than one WebSocket API is not supported"));
        }
        let selection = text(&properties, "RouteSelectionExpression");
        let selection = selection.ok_or_else(|| blame(id, "RouteSelectionExpression is missing"))?;
        if !selection.starts_with("$request.body.") {
            return Err(blame(
                id,
                "RouteSelectionExpression is not of the form $request.body.field",
            ));
        }
        selection.clone_into(&mut spec.route_selection);
    }
    let Some(api) = api else { return Ok(spec) };
    for (id, properties) in document.resources("AWS::ApiGatewayV2::Stage")? {
        if belongs(document, properties, api).map_err(|fault| blame(id, fault))? {
            let name = properties
                .get("StageName")
                .ok_or_else(|| blame(id, "StageName is missing"))?;
            spec.stage = document.text(name).map_err(|fault| blame(id, fault))?;
        }
    }
    spec.arn = format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/{}", spec.stage);
    for (id, properties) in document.resources(ROUTE)? {
        if !belongs(document, properties, api).map_err(|fault| blame(id, fault))? {
            continue;
        }
        let (key, route) = route(document, id, properties)?;
        if spec.routes.insert(key.clone(), route).is_some() {
            return Err(blame(id, format!("another route has the key {key} too")));
        }
    }
    Ok(spec)
}

fn belongs(document: &Document<'_>, properties: &Value, api: &str) -> Result<bool, Fault> {
    let reference = properties.get("ApiId").ok_or("ApiId is missing")?;
    Ok(document.referenced(reference, API)?.as_deref() == Some(api))
}

fn route(document: &Document<'_>, id: &str, raw: &Value) -> Result<(String, WebSocketRoute), TemplateError> {
    let fault = |fault: Fault| blame(id, fault);
    let key = raw
        .get("RouteKey")
        .ok_or_else(|| blame(id, "RouteKey is missing"))?;
    let key = document.text(key).map_err(fault)?;
    let target = raw.get("Target").ok_or_else(|| blame(id, "Target is missing"))?;
    let target = document.referenced(target, INTEGRATION).map_err(fault)?;
    let target = target.ok_or_else(|| blame(id, "Target names no integration of this template"))?;
    let integration = integration(document, &target)?;

    let kind = raw
        .get("AuthorizationType")
        .map(|kind| document.text(kind))
        .transpose()
        .map_err(fault)?;
    let authorizer = match kind.as_deref() {
        None | Some("NONE") => None,
        Some("CUSTOM") if key == "$connect" => Some(authorizer(document, id, raw)?),
        Some("CUSTOM") => return Err(blame(id, "only $connect can have an authorizer")),
        Some(other) => return Err(blame(id, format!("AuthorizationType {other} is not supported"))),
    };
    let selects = raw
        .get("RouteResponseSelectionExpression")
        .map(|value| document.text(value))
        .transpose();
    let selects = selects
        .map_err(fault)?
        .is_some_and(|expression| expression == "$default");
    let responds =
        selects && find(document, "AWS::ApiGatewayV2::RouteResponse", "RouteId", ROUTE, id)?.is_some();
    Ok((
        key,
        WebSocketRoute {
            integration,
            authorizer,
            responds,
        },
    ))
}

fn authorizer(document: &Document<'_>, route: &str, raw: &Value) -> Result<AuthorizerSpec, TemplateError> {
    const KIND: &str = "AWS::ApiGatewayV2::Authorizer";
    let reference = raw
        .get("AuthorizerId")
        .ok_or_else(|| blame(route, "AuthorizerId is missing"))?;
    let id = document
        .referenced(reference, KIND)
        .map_err(|fault| blame(route, fault))?;
    let id = id.ok_or_else(|| blame(route, "AuthorizerId names no authorizer of this template"))?;
    let read = || {
        let resources = document.resources(KIND).map_err(|error| error.message)?;
        let properties = resources
            .iter()
            .find(|(own, _)| *own == id)
            .map(|(_, properties)| *properties);
        let properties = properties.ok_or("its condition does not hold")?;
        if text(properties, "AuthorizerType") != Some("REQUEST") {
            return Err("AuthorizerType is not REQUEST".to_owned());
        }
        let uri = properties
            .get("AuthorizerUri")
            .ok_or("AuthorizerUri is missing")?;
        let function = document.called(uri)?.ok_or("AuthorizerUri names no function")?;
        let sources = serde_json::json!({
            "IdentitySource": properties.get("IdentitySource").map(|value| document.resolve(value)).transpose()?,
        });
        Ok(AuthorizerSpec {
            function,
            identity_sources: list(&sources, "IdentitySource")?,
        })
    };
    read().map_err(|fault: Fault| blame(&id, fault))
}

fn integration(document: &Document<'_>, id: &str) -> Result<Integration, TemplateError> {
    let fault = |fault: Fault| blame(id, fault);
    let resources = document.resources(INTEGRATION)?;
    let raw = resources
        .iter()
        .find(|(own, _)| *own == id)
        .map(|(_, properties)| *properties);
    let raw = raw.ok_or_else(|| blame(id, "its condition does not hold"))?;
    match text(raw, "IntegrationType") {
        Some("AWS_PROXY") => {
            let uri = raw
                .get("IntegrationUri")
                .ok_or_else(|| blame(id, "IntegrationUri is missing"))?;
            let function = document.called(uri).map_err(fault)?;
            function
                .map(Integration::Function)
                .ok_or_else(|| blame(id, "IntegrationUri names no function"))
        }
        Some("MOCK") => {
            if raw.get("RequestTemplates").is_none() {
                return Err(blame(id, "a MOCK integration needs RequestTemplates"));
            }
            let response = find(
                document,
                "AWS::ApiGatewayV2::IntegrationResponse",
                "IntegrationId",
                INTEGRATION,
                id,
            )?;
            let reply = match response {
                Some((response, properties)) => {
                    let resolved = document
                        .resolve(properties)
                        .map_err(|fault| blame(response, fault))?;
                    template(&resolved)
                }
                None => None,
            };
            Ok(Integration::Mock { reply })
        }
        other => Err(blame(
            id,
            format!("IntegrationType {} is not supported", other.unwrap_or("(none)")),
        )),
    }
}

/// Finds the resource of one type whose field refers to `id`, a resource of type `target`.
fn find<'d>(
    document: &'d Document<'_>,
    kind: &str,
    field: &str,
    target: &str,
    id: &str,
) -> Result<Option<(&'d str, &'d Value)>, TemplateError> {
    for (own, properties) in document.resources(kind)? {
        let reference = properties
            .get(field)
            .ok_or_else(|| blame(own, format!("{field} is missing")))?;
        let referenced = document
            .referenced(reference, target)
            .map_err(|fault| blame(own, fault))?;
        if referenced.as_deref() == Some(id) {
            return Ok(Some((own, properties)));
        }
    }
    Ok(None)
}

/// Picks the response template: the one that the selection expression names, else the default, else the first.
fn template(properties: &Value) -> Option<String> {
    let templates = properties.get("ResponseTemplates")?.as_object()?;
    let selected = text(properties, "TemplateSelectionExpression").map(|name| name.trim_start_matches('\\'));
    let chosen = selected
        .and_then(|name| templates.get(name))
        .or_else(|| templates.get("$default"));
    chosen
        .or_else(|| templates.values().next())?
        .as_str()
        .map(str::to_owned)
}
