//! Routes and frames: what the code declares is no contradiction, and the template sends frames to their functions. Its
//! routes are written.

use std::collections::BTreeSet;

use local_gateway::template::Integration;
use shared::lambda::{Function, Trigger};

use super::{assert_same, logical_id, routes, template};

/// How the APIs call a function: by its name, because it is in a nested stack.
fn uri(id: &str) -> String {
    let mut binary = String::new();
    for letter in id.chars() {
        if letter.is_ascii_uppercase() && !binary.is_empty() {
            binary.push('-');
        }
        binary.push(letter.to_ascii_lowercase());
    }
    format!(
        "!Sub arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/\
         arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:${{AWS::StackName}}_{binary}/invocations"
    )
}

/// API Gateway has one function for a route; SAM lets two claim it, and the first wins without a word.
#[test]
fn no_two_functions_have_one_route() {
    let functions = local::functions();
    let mut known = std::collections::BTreeMap::new();
    for (entry, paths) in routes(&functions) {
        for path in paths {
            let parts = path
                .split('/')
                .map(|part| if part.starts_with('{') { "{}" } else { part });
            let route = (entry.route.method, parts.collect::<Vec<_>>().join("/"));
            if let Some(other) = known.insert(route.clone(), entry.route.name) {
                panic!(
                    "{} and {other} both claim {} {path}",
                    entry.route.name,
                    route.0.as_str()
                );
            }
        }
    }
}

#[test]
fn every_frame_is_in_the_template() {
    let mut wanted = BTreeSet::new();
    for function in local::functions() {
        let key = match &function.trigger {
            Trigger::Frame(entry) => entry.key,
            Trigger::Connection(entry) if entry.key != "authorizer" => entry.key,
            _ => continue,
        };
        wanted.insert((key.to_owned(), logical_id(function.name)));
    }
    let websocket = template().websocket;
    assert_eq!(
        websocket.route_selection, "$request.body.type",
        "RouteSelectionExpression of WebSocketApi"
    );
    let mut found = BTreeSet::new();
    let mut pong = None;
    for (key, route) in websocket.routes {
        match route.integration {
            Integration::Function(id) => {
                found.insert((key, id));
            }
            // Without a route response, what a MOCK answers reaches nobody.
            Integration::Mock { reply } if key == "ping" && route.responds => pong = reply,
            Integration::Mock { .. } => {
                panic!("template.yaml: {key} is answered by no function, and only ping may be")
            }
        }
    }
    let expected = r#"{"type":"pong"}"#;
    assert_eq!(
        pong.as_deref(),
        Some(expected),
        "template.yaml: PingIntegrationResponse: ResponseTemplates: {{ \"200\": '{expected}' }}"
    );
    assert_same("template.yaml, under Resources", &wanted, &found, |(key, id)| {
        let uri = uri(id);
        format!(
            "  {id}Route:\n    Type: AWS::ApiGatewayV2::Route\n    Properties:\n      ApiId: !Ref WebSocketApi\n      \
             RouteKey: {key}\n      Target: !Sub integrations/${{{id}Integration}}\n  {id}Integration:\n    \
             Type: AWS::ApiGatewayV2::Integration\n    Properties:\n      ApiId: !Ref WebSocketApi\n      \
             IntegrationType: AWS_PROXY\n      IntegrationUri: {uri}\n      CredentialsArn: !GetAtt InvokeRole.Arn"
        )
    });
}

#[test]
fn the_authorizer_decides_about_every_handshake() {
    let is_authorizer = |function: &Function| matches!(&function.trigger, Trigger::Connection(entry) if entry.key == "authorizer");
    let functions = local::functions();
    let wanted = functions
        .iter()
        .find(|function| is_authorizer(function))
        .map(|function| logical_id(function.name));
    let authorizer = template()
        .websocket
        .routes
        .remove("$connect")
        .and_then(|route| route.authorizer);
    let authorizer =
        authorizer.unwrap_or_else(|| panic!("template.yaml: ConnectRoute wants AuthorizationType: CUSTOM"));
    assert_eq!(
        Some(authorizer.function),
        wanted,
        "template.yaml: AuthorizerUri of WebSocketAuthorizer"
    );
    // With one, API Gateway would answer a handshake without it by itself.
    assert!(
        authorizer.identity_sources.is_empty(),
        "template.yaml: take IdentitySource out of WebSocketAuthorizer"
    );
}
