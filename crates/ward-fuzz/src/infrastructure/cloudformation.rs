//! Templates of CloudFormation.

use super::judged::holds;
use crate::Target;
use ward_policy::cloudformation::read_cloudformation;
use ward_policy::read_text;

pub(crate) const TARGET: Target = Target {
    name: "cloudformation",
    about: "a template: judged the same twice, only what is proven passes, every report is inert",
    words: &[
        "AWSTemplateFormatVersion: 2010-09-09\n",
        "Parameters:\n",
        "Mappings:\n",
        "Conditions:\n",
        "Resources:\n",
        "  Db:\n    Type: AWS::RDS::DBInstance\n    Properties:\n",
        "  Bucket:\n    Type: AWS::S3::Bucket\n",
        "      StorageEncrypted: true\n",
        "    Condition: C\n",
        "!Ref ",
        "!If [",
        "!Sub ",
        "!GetAtt ",
        "!FindInMap [",
        "!Join [",
        "!Select [",
        "!Equals [",
        "!Not [",
        "Fn::ForEach::",
        "Fn::Transform",
        "AWS::NoValue",
        "AllowedValues: [",
        "Default: ",
        "\"Resources\": {",
        "{\"Ref\": \"P\"}",
        "{\"Fn::If\": [\"C\", ",
        "{\"Fn::Sub\": [\"${a}\", {\"a\": ",
        "{\"Fn::GetAtt\": [\"R\", \"Arn\"]}",
        "{\"Fn::FindInMap\": [\"M\", ",
        "{\"Fn::Join\": [\"\", [",
        "{\"Fn::Select\": [0, ",
        "{\"Fn::Split\": [\",\", ",
        "{\"Fn::Equals\": [",
        "{\"Fn::And\": [",
        "{\"Fn::Or\": [",
        "{\"Condition\": \"C\"}",
        "{\"Fn::ImportValue\": ",
        "{\"Fn::Base64\": ",
        "Transform: AWS::Serverless-2016-10-31\n",
        "Globals:\n  Function:\n",
        "Type: AWS::Serverless::Function\n",
        "Type: AWS::Serverless::SimpleTable\n",
        "SSESpecification: {SSEEnabled: true}",
        "DeletionPolicy: Retain\n",
        "PolicyDocument: {Statement: [{Effect: Allow, ",
        "Principal: \"*\", Action: \"*\", Resource: \"*\"}]}",
        "Tags: [{Key: data_class, Value: phi}]",
    ],
    run,
};

fn run(input: &[u8]) {
    let Ok(text) = read_text(input) else { return };
    holds(input, read_cloudformation("input", &text), read_cloudformation("input", &text));
}
