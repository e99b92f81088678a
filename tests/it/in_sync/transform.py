"""What the SAM transform makes of a template, for tests/it/in_sync/size.rs: `transform.py <template>` prints it as JSON.

Needs aws-sam-translator, which comes with cfn-lint. CodeUri is replaced, as a deployment replaces it.
"""

import json
import os
import sys

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

# What must be unique in an account and region, or in the world, by type.
NAMES = {
    "AWS::ApiGatewayV2::Authorizer": None,
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Events::Rule": "Name",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::Scheduler::Schedule": "Name",
    "AWS::Scheduler::ScheduleGroup": "Name",
    "AWS::SecretsManager::Secret": "Name",
}


def main(path):
    with open(path) as file:
        template = yaml_parse(file.read())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    passed = {name: declared.get("Default", "") for name, declared in template.get("Parameters", {}).items()}
    translated = Translator({}, Parser()).translate(template, passed)
    resources = translated["Resources"]
    fixed = []
    for id, resource in resources.items():
        name = resource.get("Properties", {}).get(NAMES.get(resource["Type"]))
        # A name made of another, such as the stack's, is written as an intrinsic function.
        if isinstance(name, str):
            fixed.append(f"{id} ({resource['Type']}): {name}")
    text = json.dumps(translated)
    print(
        json.dumps(
            {
                "resources": len(resources),
                "references": text.count("{{resolve:"),
                "bytes": len(text),
                "fixed_names": fixed,
            }
        )
    )


main(sys.argv[1])
