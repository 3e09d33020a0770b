"""A small stack with resources of the same kinds as the product's, and functions that do what a message says."""

from __future__ import annotations

from pathlib import Path

HANDLERS = '''
import json
import logging
import os
import sys
import time

import boto3

calls = 0


def record(event, context):
    """Do what each message says and report those that failed."""
    global calls
    calls += 1
    failed = []
    for each in event["Records"]:
        body = json.loads(each["body"])
        print("GOT " + json.dumps({"id": each["messageId"], "body": body, "call": calls, "pid": os.getpid(),
                                   "records": len(event["Records"]), "record": each,
                                   "trace": os.environ["_X_AMZN_TRACE_ID"]}))
        if int(each["attributes"]["ApproximateReceiveCount"]) <= body.get("times", 1000):
            if not obey(body, each, context):
                failed.append({"itemIdentifier": each["messageId"]})
        if "answer" in body:
            return body["answer"]
    return {"batchItemFailures": failed}


def obey(body, record, context):
    if "Records" in body:
        where = body["Records"][0]["s3"]
        boto3.client("s3").put_object(Bucket=where["bucket"]["name"], Key=where["object"]["key"])
    what = body.get("do")
    if what == "raise":
        raise ValueError("as told")
    if what == "exit":
        os._exit(7)
    if what == "sleep":
        time.sleep(body["seconds"])
    if what in {"hide", "hide and raise", "hide and exit"}:
        boto3.client("sqs").change_message_visibility(
            QueueUrl=os.environ["QUEUE_URL"], ReceiptHandle=record["receiptHandle"],
            VisibilityTimeout=body["seconds"])
    if what == "hide and raise":
        raise ValueError("as told")
    if what == "hide and exit":
        os._exit(7)
    if what == "send":
        boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=record["body"])
    return what not in {"fail", "hide"}


def look(event, context):
    """Return everything that can be seen from inside."""
    print("SAW " + json.dumps(event))
    logging.getLogger("look").warning("a warning")
    return {
        "event": event,
        "environment": dict(os.environ),
        "cwd": os.getcwd(),
        "path": sys.path,
        "modules": sorted(name for name in sys.modules if "." not in name),
        "context": {
            "request": context.aws_request_id,
            "arn": context.invoked_function_arn,
            "name": context.function_name,
            "memory": context.memory_limit_in_mb,
            "left": context.get_remaining_time_in_millis(),
        },
    }


def measure(event, context):
    print(json.dumps({
        "_aws": {"Timestamp": event["time"], "CloudWatchMetrics": [{
            "Namespace": "Sample", "Dimensions": [["Rule"], ["Rule", "Bucket"]],
            "Metrics": [{"Name": "Latency", "Unit": "Seconds"}, {"Name": "Count"}]}]},
        "Rule": "r", "Bucket": "b", "Latency": [0.5, 1.5], "Count": 2, "other": "property"}))
'''

TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Description: A sample
Parameters:
  SourceBuckets: {Type: CommaDelimitedList, Default: ""}
  CreateSourceBucket: {Type: String, Default: ""}
  Minutes: {Type: Number, Default: 15, MinValue: 1, MaxValue: 60}
  Level: {Type: String, Default: INFO, AllowedValues: [INFO, DEBUG]}
  MaximumConcurrency: {Type: Number, Default: 5}
Conditions:
  CreatesBucket: !Not [!Equals [!Ref CreateSourceBucket, ""]]
  NamesBuckets: !Not [!Equals [!Join ["", !Ref SourceBuckets], ""]]
  HasAny: !Or [!Condition CreatesBucket, !Condition NamesBuckets]
Globals:
  Function:
    Runtime: python3.13
    Architectures: [arm64]
    MemorySize: 256
    Timeout: 2
    CodeUri: code/
    RecursiveLoop: Terminate
    Environment:
      Variables:
        LEVEL: !Ref Level
        MINUTES: !Ref Minutes
Resources:
  RecordFunction:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub ${AWS::StackName}-record
      Handler: app.record
      Role: !GetAtt RecordRole.Arn
      LoggingConfig: {LogGroup: !Ref RecordLogs}
      Environment:
        Variables:
          QUEUE_URL: !Ref Queue
          PRINCIPALS: !Sub ${RecordRole.RoleId}:${AWS::StackName}-record
      Events:
        Messages:
          Type: SQS
          Properties:
            Queue: !GetAtt Queue.Arn
            BatchSize: 10
            FunctionResponseTypes: [ReportBatchItemFailures]
            ScalingConfig: {MaximumConcurrency: !Ref MaximumConcurrency}
            FilterCriteria:
              Filters:
                - Pattern: '{"body": {"do": [{"anything-but": "filtered"}]}}'
                - Pattern: '{"body": {"Records": {"eventSource": ["aws:s3"]}}}'
        Windowed:
          Type: SQS
          Properties: {Queue: !GetAtt SlowQueue.Arn, BatchSize: 3, MaximumBatchingWindowInSeconds: 1}
  LookFunction:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub ${AWS::StackName}-look
      Handler: app.look
      Policies: [AWSLambdaBasicExecutionRole, SQSSendMessagePolicy: {QueueName: !GetAtt Queue.QueueName}]
      EventInvokeConfig: {MaximumRetryAttempts: 0}
      Events:
        Often:
          Type: Schedule
          Properties: {Schedule: rate(1 hour)}
  MeasureFunction:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub ${AWS::StackName}-measure
      Handler: app.measure
      Events:
        Often:
          Type: ScheduleV2
          Properties:
            Name: !Sub ${AWS::StackName}-measure
            ScheduleExpression: rate(5 minutes)
            Input: '{"time": 1700000000000, "when": "<aws.scheduler.scheduled-time>"}'
  RecordRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Action: "sts:AssumeRole", Principal: {Service: lambda.amazonaws.com}}]}
      Policies:
        - PolicyName: record
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Action:
                  - sqs:ReceiveMessage
                  - sqs:DeleteMessage
                  - sqs:GetQueueAttributes
                  - sqs:ChangeMessageVisibility
                  - sqs:SendMessage
                Resource: [!GetAtt Queue.Arn, !GetAtt SlowQueue.Arn]
              - !If
                - HasAny
                - Effect: Allow
                  Action: s3:GetObject
                  Resource: !Split [",", !Sub ["arn:aws:s3:::${Names}/*", {Names: !Join ["/*,arn:aws:s3:::", !Ref SourceBuckets]}]]
                - !Ref AWS::NoValue
              - !If
                - CreatesBucket
                - {Effect: Allow, Action: "s3:PutObject", Resource: !Sub "arn:aws:s3:::${CreateSourceBucket}/*"}
                - !Ref AWS::NoValue
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      SqsManagedSseEnabled: true
      VisibilityTimeout: 60
      RedrivePolicy: {deadLetterTargetArn: !GetAtt DeadQueue.Arn, maxReceiveCount: 3}
  SlowQueue: {Type: "AWS::SQS::Queue"}
  DeadQueue: {Type: "AWS::SQS::Queue", Properties: {MessageRetentionPeriod: 1209600}}
  QueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: s3.amazonaws.com}, Action: "sqs:SendMessage", Resource: !GetAtt Queue.Arn}]
  Table:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      BillingMode: PAY_PER_REQUEST
      SSESpecification: {SSEEnabled: true}
      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
      AttributeDefinitions: [{AttributeName: a, AttributeType: S}, {AttributeName: b, AttributeType: N}]
      KeySchema: [{AttributeName: a, KeyType: HASH}]
      GlobalSecondaryIndexes:
        - {IndexName: ByB, KeySchema: [{AttributeName: b, KeyType: HASH}], Projection: {ProjectionType: ALL}}
      TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}
  Bucket:
    Type: AWS::S3::Bucket
    Condition: CreatesBucket
    DependsOn: QueuePolicy
    Properties:
      BucketName: !Ref CreateSourceBucket
      VersioningConfiguration: {Status: Enabled}
      BucketEncryption: {ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}}]}
      PublicAccessBlockConfiguration: {BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true}
      OwnershipControls: {Rules: [{ObjectOwnership: BucketOwnerEnforced}]}
      LifecycleConfiguration: {Rules: [{Id: uploads, Status: Enabled, AbortIncompleteMultipartUpload: {DaysAfterInitiation: 7}}]}
      NotificationConfiguration:
        QueueConfigurations:
          - {Queue: !GetAtt Queue.Arn, Event: "s3:ObjectCreated:*"}
  RecordLogs:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: !Sub "/aws/lambda/${AWS::StackName}-record", RetentionInDays: 30}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties: {Namespace: Sample, MetricName: Count, Threshold: 1, ComparisonOperator: GreaterThanThreshold,
                 EvaluationPeriods: 1, Period: 60, Statistic: Sum}
  Dashboard:
    Type: AWS::CloudWatch::Dashboard
    Properties:
      DashboardName: !Ref AWS::StackName
      DashboardBody: !Sub '{"widgets": [{"type": "metric", "properties": {"region": "${AWS::Region}", "metrics": [["Sample", "Count", "F", "${RecordFunction}"]]}}]}'
  Unheard:
    Type: AWS::Unheard::Of
    Properties: {Of: !Ref Queue}
Outputs:
  Queue: {Value: !Ref Queue}
  SlowQueue: {Value: !Ref SlowQueue}
  DeadQueue: {Value: !Ref DeadQueue}
  QueueArn: {Value: !GetAtt Queue.Arn}
  Table: {Value: !Ref Table}
  RecordFunction: {Value: !Ref RecordFunction}
  Principals: {Value: !Sub "${RecordRole.RoleId}:${AWS::StackName}-record"}
  Bucket: {Condition: CreatesBucket, Value: !Ref Bucket}
"""  # noqa: E501 - YAML in flow style, to see it at a glance


def write(folder: Path) -> Path:
    """Write the stack into a folder; return the path of its template."""
    (folder / "code").mkdir()
    (folder / "code" / "app.py").write_text(HANDLERS)
    template = folder / "template.yaml"
    template.write_text(TEMPLATE)
    return template
