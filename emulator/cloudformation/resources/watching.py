"""CloudFormation resources of CloudWatch: log groups, alarms and dashboards."""

from __future__ import annotations

from emulator.cloudformation.resources.base import Properties, Resource


class LogGroup(Resource):
    """AWS::Logs::LogGroup."""

    kind = "AWS::Logs::LogGroup"
    name_property = "LogGroupName"
    longest_name = 512

    def create(self) -> None:
        logs = self.client("logs")
        logs.create_log_group(logGroupName=self.name)
        (group,) = logs.describe_log_groups(logGroupNamePrefix=self.name, limit=1)["logGroups"]
        self.attributes = {"Arn": group["arn"]}
        self._retain()

    def update(self, before: Properties) -> None:
        if "RetentionInDays" in before and "RetentionInDays" not in self.properties:
            self.client("logs").delete_retention_policy(logGroupName=self.name)
        self._retain()

    def _retain(self) -> None:
        if "RetentionInDays" in self.properties:
            days = int(self.properties["RetentionInDays"])
            self.client("logs").put_retention_policy(logGroupName=self.name, retentionInDays=days)

    def destroy(self) -> None:
        self.client("logs").delete_log_group(logGroupName=self.name)


class Alarm(Resource):
    """AWS::CloudWatch::Alarm."""

    kind = "AWS::CloudWatch::Alarm"
    name_property = "AlarmName"

    def create(self) -> None:
        cloudwatch = self.client("cloudwatch")
        self.call("cloudwatch", "put_metric_alarm", AlarmName=self.name)
        (alarm,) = cloudwatch.describe_alarms(AlarmNames=[self.name])["MetricAlarms"]
        self.attributes = {"Arn": alarm["AlarmArn"]}

    def update(self, before: Properties) -> None:
        self.create()

    def destroy(self) -> None:
        self.client("cloudwatch").delete_alarms(AlarmNames=[self.name])


class Dashboard(Resource):
    """AWS::CloudWatch::Dashboard."""

    kind = "AWS::CloudWatch::Dashboard"
    name_property = "DashboardName"

    def create(self) -> None:
        self.call("cloudwatch", "put_dashboard", DashboardName=self.name)

    def update(self, before: Properties) -> None:
        self.create()

    def destroy(self) -> None:
        self.client("cloudwatch").delete_dashboards(DashboardNames=[self.name])
