//! The example template, read; and templates that cannot be.

use serde_json::json;

use super::*;
use crate::testing::example;

fn parse(yaml: &str) -> Result<Template, TemplateError> {
    Template::parse(
        yaml,
        &Sources {
            parameters: &|_| None,
            attributes: &|_, _| None,
            templates: &|_| None,
        },
    )
}

fn complaint(yaml: &str) -> String {
    parse(yaml).unwrap_err().to_string()
}

#[test]
fn a_function_has_its_globals_merged_and_its_environment_resolved() {
    let template = example();
    let function = template.function("GetPet").unwrap();
    assert_eq!(
        (
            function.binary.as_str(),
            function.timeout_seconds,
            function.memory_mb
        ),
        ("get-pet", 5, 256)
    );
    let expected = [
        ("GRACE_SECONDS", "60"),
        ("LOG_LEVEL", "debug"),
        ("MAX", "5"),
        (
            "QUEUE_URL",
            "https://sqs.us-east-1.amazonaws.com/000000000000/dev-fanout",
        ),
        ("STAGE", "dev-${literal}"),
        ("TABLE_NAME", "dev-pets"),
    ];
    assert_eq!(
        function.environment,
        expected
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    );
    let statement = Statement {
        allows: true,
        actions: vec!["dynamodb:GetItem".to_owned()],
        resources: vec!["arn:aws:dynamodb:us-east-1:000000000000:table/dev-pets".to_owned()],
        leading_keys: Vec::new(),
    };
    assert_eq!(function.statements, [statement]);
    assert_eq!(template.function("CreatePet").unwrap().timeout_seconds, 10);
    assert!(template.function("OnlyInProduction").is_none());
}

#[test]
fn parameters_and_attributes_can_be_given() {
    let sources = Sources {
        parameters: &|name| (name == "Stage").then(|| "production".to_owned()),
        attributes: &|resource, attribute| {
            (resource.kind == "AWS::SQS::Queue" && attribute == "Ref")
                .then(|| format!("http://desk/{}", resource.name))
        },
        templates: &|_| None,
    };
    let template = Template::parse(include_str!("../../tests/data/template.yaml"), &sources).unwrap();
    assert!(template.function("OnlyInProduction").is_some());
    let environment = &template.function("GetPet").unwrap().environment;
    assert_eq!(environment["QUEUE_URL"], "http://desk/production-fanout");
    assert_eq!(environment["STAGE"], "live");
}

#[test]
fn routes_come_from_the_api_document_and_from_events() {
    let http = example().http;
    let routes: Vec<_> = http
        .routes
        .iter()
        .map(|route| format!("{} {} {}", route.method, route.path, route.function))
        .collect();
    assert_eq!(routes, ["GET /pets/{pet_id} GetPet", "POST /pets CreatePet"]);
    assert_eq!(http.default_function.as_deref(), Some("NotFound"));
    let cors = http.cors.unwrap();
    assert_eq!(
        cors.allow_origins,
        ["http://localhost:5173", "https://app.example"]
    );
    assert_eq!((cors.allow_credentials, cors.max_age_seconds), (true, Some(600)));
}

#[test]
fn the_socket_is_put_together_from_its_resources() {
    let socket = example().websocket;
    assert_eq!(
        (socket.route_selection.as_str(), socket.stage.as_str()),
        ("$request.body.type", "dev")
    );
    assert!(
        socket
            .arn
            .starts_with("arn:aws:execute-api:us-east-1:000000000000:")
    );
    assert!(socket.arn.ends_with("/dev"));
    let keys: Vec<_> = socket.routes.keys().map(String::as_str).collect();
    assert_eq!(keys, ["$connect", "$default", "$disconnect", "ping", "typing"]);
    let connect = &socket.routes["$connect"];
    assert_eq!(connect.integration, Integration::Function("Connect".to_owned()));
    let authorizer = AuthorizerSpec {
        function: "Authorize".to_owned(),
        identity_sources: Vec::new(),
    };
    assert_eq!(connect.authorizer, Some(authorizer));
    assert_eq!(
        socket.routes["ping"].integration,
        Integration::Mock {
            reply: Some(r#"{"type":"pong"}"#.to_owned())
        }
    );
    let responding: Vec<_> = socket
        .routes
        .iter()
        .filter(|(_, route)| route.responds)
        .map(|(key, _)| key)
        .collect();
    assert_eq!(responding, ["$default", "ping"]);
}

#[test]
fn queues_mappings_schedules_tables_and_buckets() {
    let template = example();
    let queue = template.queue("FanoutQueue").unwrap();
    let redrive = Redrive {
        dead_letter_queue: "FanoutDeadLetters".to_owned(),
        max_receive_count: 5,
    };
    let expected = QueueSpec {
        logical_id: "FanoutQueue".to_owned(),
        name: "dev-fanout".to_owned(),
        visibility_timeout_seconds: 90,
        delay_seconds: 60,
        retention_seconds: 86_400,
        fifo: false,
        redrive: Some(redrive),
    };
    assert_eq!(*queue, expected);
    let dead = template.queue("FanoutDeadLetters").unwrap();
    assert_eq!(
        (dead.name.as_str(), dead.visibility_timeout_seconds),
        ("FanoutDeadLetters", 30)
    );
    let mapping = QueueMapping {
        function: "Deliver".to_owned(),
        queue: "FanoutQueue".to_owned(),
        batch_size: 5,
        window_seconds: 1,
        reports_batch_item_failures: true,
        maximum_concurrency: Some(20),
    };
    assert_eq!(template.mappings, [mapping]);
    assert_eq!(template.schedules[0].expression, "rate(1 day)");
    assert!(
        template.schedules[0]
            .logical_id
            .starts_with(&template.schedules[0].function)
    );
    let table = &template.tables[0];
    assert_eq!(table.ttl_attribute.as_deref(), Some("ttl"));
    let body = json!({
        "TableName": "dev-pets",
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "BillingMode": "PAY_PER_REQUEST",
    });
    assert_eq!(table.create_table, body);
    let [bucket] = template.buckets.as_slice() else {
        panic!("{:?}", template.buckets)
    };
    assert_eq!(bucket.name, "dev-files");
    let [cors] = bucket.cors.as_slice() else {
        panic!("{:?}", bucket.cors)
    };
    assert_eq!(cors.allow_origins, ["https://a.example", "https://b.example"]);
    assert_eq!(
        (cors.allow_methods.as_slice(), cors.max_age_seconds),
        (&["POST".to_owned()][..], Some(60))
    );
}

#[test]
fn errors_name_the_resource() {
    let function =
        |properties: &str| format!("Resources: {{F: {{Type: AWS::Serverless::Function, {properties}}}}}");
    assert_eq!(
        complaint(&function("Properties: {}")),
        "resource F: CodeUri is missing"
    );
    let typo = "Properties: {CodeUri: target/lambda/f/, Environment: {Variables: {T: !Ref Tabel}}}";
    assert_eq!(
        complaint(&function(typo)),
        "resource F: Tabel is neither a parameter nor a resource"
    );
    let event = "Properties: {CodeUri: a/b/, Events: {E: {Type: SQS, Properties: {Queue: !GetAtt Q.Arn}}}}";
    assert_eq!(
        complaint(&function(event)),
        "resource F: event E: Queue names no queue of this template"
    );
    let managed = "Properties: {CodeUri: a/b/, Policies: [AmazonDynamoDBFullAccess]}";
    assert_eq!(
        complaint(&function(managed)),
        "resource F: Policies holds something that has no Statement"
    );
    let conditional = |condition: &str| {
        let statement = "Effect: Allow, Action: dynamodb:GetItem, Resource: a";
        let policies = format!("Policies: {{Statement: {{{statement}, Condition: {condition}}}}}");
        function(&format!("Properties: {{CodeUri: a/b/, {policies}}}"))
    };
    for condition in [
        "{}",
        "{Bool: {aws:SecureTransport: true}}",
        "{'ForAllValues:StringLike': {dynamodb:Attributes: [pk]}}",
        "{'ForAllValues:StringLike': {dynamodb:LeadingKeys: [a], dynamodb:Attributes: [pk]}}",
        "{'ForAllValues:StringLike': {dynamodb:LeadingKeys: [a]}, Bool: {}}",
    ] {
        assert_eq!(
            complaint(&conditional(condition)),
            "resource F: a Condition other than ForAllValues:StringLike of dynamodb:LeadingKeys is not supported",
            "{condition}"
        );
    }
    let bound = parse(&conditional(
        "{'ForAllValues:StringLike': {'dynamodb:LeadingKeys': ['K#*', R]}}",
    ))
    .unwrap();
    assert_eq!(bound.functions[0].statements[0].leading_keys, ["K#*", "R"]);
    let queue = "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: soon}}}";
    assert_eq!(
        complaint(queue),
        "resource Q: VisibilityTimeout is no whole number"
    );
    assert!(complaint("Resources: [").contains("line"));
    assert_eq!(complaint("Outputs: {}"), "the template has no Resources");
    let circle = "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Q}}}";
    assert_eq!(complaint(circle), "resource Q: the references lead in a circle");
}

#[test]
fn a_parameter_has_no_value_that_the_template_does_not_allow() {
    let yaml = "
Parameters:
  Origins:
    Type: String
    Default: https://a.example
    AllowedPattern: ^https?://[^*,]+(,https?://[^*,]+)*$
    Description: Never all.
  Stage:
    Type: String
    Default: dev
    AllowedValues: [dev, production]
Resources: {}";
    for (name, value, why) in [
        ("Origins", "https://a.example,https://b.example", None),
        ("Stage", "production", None),
        (
            "Origins",
            "*",
            Some(r#"the parameter Origins may not be "*". Never all."#),
        ),
        (
            "Origins",
            "https://a.example,*",
            Some(r#"the parameter Origins may not be "https://a.example,*". Never all."#),
        ),
        ("Stage", "test", Some(r#"the parameter Stage may not be "test""#)),
    ] {
        let sources = Sources {
            parameters: &|asked| (asked == name).then(|| value.to_owned()),
            attributes: &|_, _| None,
            templates: &|_| None,
        };
        let complaint = Template::parse(yaml, &sources)
            .err()
            .map(|error| error.to_string());
        let of_parameter = complaint.filter(|complaint| complaint.contains("parameter"));
        assert_eq!(of_parameter.as_deref(), why, "{name}={value}");
    }
}

/// A template with one nested stack, and what it is read as.
fn nested(parent: &str, child: &str) -> Result<Template, TemplateError> {
    Template::parse(
        parent,
        &Sources {
            parameters: &|_| None,
            attributes: &|_, _| None,
            templates: &|path| (path == "stacks/pets.yaml").then(|| child.to_owned()),
        },
    )
}

const PARENT: &str = r#"
Resources:
  Jobs: { Type: AWS::SQS::Queue }
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      DefinitionBody:
        paths:
          /pets:
            get:
              x-amazon-apigateway-integration:
                payloadFormatVersion: "2.0"
                uri: !Sub arn:aws:apigateway:x:lambda:path/2015-03-31/functions/arn:aws:lambda:x:1:function:${AWS::StackName}_list-pets/invocations
  Pets:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: stacks/pets.yaml
      Parameters:
        Root: !Ref AWS::StackName
        JobsArn: !GetAtt Jobs.Arn
"#;

const CHILD: &str = r#"
Parameters:
  Root: { Type: String }
  JobsArn: { Type: String }
  Greeting: { Type: String, Default: hello }
Globals:
  Function:
    Timeout: 7
    Environment: { Variables: { GREETING: !Ref Greeting, STACK: !Sub "of ${Root}" } }
Resources:
  ListPets:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub ${Root}_list-pets
      CodeUri: ../target/lambda/list-pets/
      Environment: { Variables: { OWN: "1" } }
      Events: { Jobs: { Type: SQS, Properties: { Queue: !Ref JobsArn } } }
      Policies: [{ Statement: [{ Effect: Allow, Action: sqs:SendMessage, Resource: !Ref JobsArn }] }]
"#;

#[test]
fn the_functions_of_a_nested_stack_are_functions_of_the_template() {
    let template = nested(PARENT, CHILD).unwrap();
    let function = template.function("ListPets").unwrap();
    assert_eq!(
        (function.binary.as_str(), function.timeout_seconds),
        ("list-pets", 7)
    );
    let environment: Vec<(&str, &str)> = function
        .environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        environment,
        [("GREETING", "hello"), ("OWN", "1"), ("STACK", "of local")]
    );
    assert_eq!(
        function.statements[0].resources,
        ["arn:aws:sqs:us-east-1:000000000000:Jobs"]
    );
    assert_eq!(template.mappings[0].queue, "Jobs");
    assert_eq!(template.http.routes[0].function, "ListPets");
}

#[test]
fn what_a_nested_stack_is_passed_is_what_it_declares() {
    let refused = |parent: &str, child: &str| nested(parent, child).unwrap_err().to_string();
    let unknown = PARENT.replace("JobsArn: !GetAtt", "Jobs: !GetAtt");
    assert!(refused(&unknown, CHILD).contains("the parameter JobsArn is not passed and has no default"));
    let extra = PARENT.replace("JobsArn: !GetAtt", "More: x\n        JobsArn: !GetAtt");
    assert!(refused(&extra, CHILD).contains("the nested template has no parameter More"));
    let elsewhere = PARENT.replace("stacks/pets.yaml", "stacks/dogs.yaml");
    assert!(refused(&elsewhere, CHILD).contains("there is no template stacks/dogs.yaml"));
    let own = CHILD.replace("of ${Root}", "of ${AWS::StackName}");
    assert!(refused(PARENT, &own).contains("pass the parent's as a parameter"));
    let twice = CHILD.replace("  ListPets:", "  Jobs:");
    assert!(refused(PARENT, &twice).contains("Jobs is the name of two Resources"));
}
