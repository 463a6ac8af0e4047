"""Scores recordings that are already in the stack's bucket: ``python -m infra.backfill --prefix calls/``.

Lists the objects, prints an estimate, asks, creates one S3 Batch Operations job and shows its progress.
With --queue it sends messages through the stack's queue instead. AWS_ENDPOINT_URL points it at LocalStack.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from infra.backfill import job, objects, queue
from infra.backfill.estimate import Route, estimate, sources_of_figures, table_of


def main(arguments: list[str] | None = None) -> int:
    """Returns 0 when every object was scored, 1 when some were not, 2 when the backfill can't start."""
    options = _options(arguments)
    console = Console()
    try:
        if options.job:
            return _follow(options.job, console)
        return _backfill(options, console)
    except (NoCredentialsError, NoRegionError) as error:
        console.print(
            f"[red]{error}[/] Choose account and region: aws configure, or AWS_PROFILE and "
            "AWS_DEFAULT_REGION."
        )
        return 2
    except (ClientError, BotoCoreError, ValueError, RuntimeError) as error:
        console.print(f"[red]{error}")
        return 2
    except KeyboardInterrupt:
        console.print("Interrupted. A job continues in AWS; --job shows its progress.")
        return 1


def _backfill(options: argparse.Namespace, console: Console) -> int:
    outputs = _outputs(options.stack)
    if not options.queue and "BackfillRoleArn" not in outputs:
        raise ValueError(
            f"The stack {options.stack} has no role for S3 Batch Operations. Deploy it with Backfill=true, "
            "or use --queue."
        )
    s3, bucket = boto3.client("s3"), outputs["IncomingBucketName"]
    if options.manifest:
        listed = objects.in_manifest(s3, options.manifest, bucket)
    else:
        listed = objects.under_prefix(s3, bucket, options.prefix)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "manifest.csv"
        with (
            console.status(f"Listing {options.manifest or f's3://{bucket}/{options.prefix}'}"),
            path.open("w") as file,
        ):
            totals = objects.write_manifest(listed, bucket, file)
        if not totals.files:
            raise ValueError("There is nothing to score. Check the prefix: patterns are not supported.")
        _show_estimate(options, outputs, totals, console)
        if options.dry_run or not _is_confirmed(options, console):
            return 0
        if options.queue:
            return _send(options, outputs, path, totals.files.total(), console)
        account = boto3.client("sts").get_caller_identity()["Account"]
        made = boto3.client("s3control").create_job(
            **job.request(
                outputs,
                account,
                job.upload_manifest(s3, path, outputs["BackfillBucketName"]),
                rescore=options.rescore,
                description=f"aqscore: {options.manifest or f's3://{bucket}/{options.prefix}'}"[:256],
            )
        )
    console.print(f"Job {made['JobId']}")
    return _follow(made["JobId"], console)


def _show_estimate(
    options: argparse.Namespace, outputs: dict[str, str], totals: objects.Totals, console: Console
) -> None:
    """Prints the estimate for the memory and the concurrency of the deployed stack."""
    lambda_ = boto3.client("lambda")
    name = outputs["FunctionName"]
    version = lambda_.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
    memory_mb = lambda_.get_function_configuration(FunctionName=name, Qualifier=version)["MemorySize"]
    if options.queue:
        [mapping] = lambda_.list_event_source_mappings(FunctionName=outputs["FunctionAlias"])[
            "EventSourceMappings"
        ]
        copies = mapping["ScalingConfig"]["MaximumConcurrency"]
    else:
        copies = lambda_.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    route: Route = "queue" if options.queue else "batch"
    rate = options.rate if options.queue else None
    result = estimate(totals, route, memory_mb=memory_mb, copies=copies, rate=rate)
    console.print(table_of(result, totals, copies))
    console.print(f"[dim]{sources_of_figures()}", highlight=False)


def _is_confirmed(options: argparse.Namespace, console: Console) -> bool:
    if options.yes:
        return True
    if not sys.stdin.isatty():
        raise ValueError(
            "Standard input is no terminal. Use --yes to start, or --dry-run for the estimate alone."
        )
    return console.input("Start? [y/N] ").strip().lower() in ("y", "yes")


def _send(
    options: argparse.Namespace, outputs: dict[str, str], path: Path, total: int, console: Console
) -> int:
    sqs, url = boto3.client("sqs"), outputs["QueueUrl"]
    with _progress(console) as progress, path.open() as file:
        sending = progress.add_task("Sent", total=total)
        keys = objects.read_manifest(file)
        for sent in queue.send(
            sqs, url, outputs["IncomingBucketName"], keys, options.rate, rescore=options.rescore
        ):
            progress.update(sending, completed=sent)
        scoring = progress.add_task("Processed", total=total)
        for count in queue.waiting(sqs, url):
            progress.update(scoring, completed=max(0, total - count))
    console.print("The queue is empty. Messages that failed five times are in the dead-letter queue.")
    return 0


def _follow(job_id: str, console: Console) -> int:
    account = boto3.client("sts").get_caller_identity()["Account"]
    with _progress(console) as progress:
        task = progress.add_task("Preparing", total=None)
        for state in job.follow(boto3.client("s3control"), account, job_id):
            summary = state.get("ProgressSummary", {})
            done, failed = (summary.get(f"NumberOfTasks{end}", 0) for end in ("Succeeded", "Failed"))
            total = summary.get("TotalNumberOfTasks") or None
            text = f"{state['Status']}, {failed:,} failed"
            progress.update(task, description=text, total=total, completed=done + failed)
    console.print(f"{state['Status']}: {done:,} done, {failed:,} failed.")
    for reason in state.get("FailureReasons", ()):
        console.print(f"[red]{reason['FailureCode']}: {reason['FailureReason']}")
    if failed:
        report = state["Report"]
        console.print(f"Failed objects, with reasons: {report['Bucket']}/{report['Prefix']}/job-{job_id}/")
    return 0 if state["Status"] == "Complete" and not failed else 1


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
    )


def _outputs(stack: str) -> dict[str, str]:
    [description] = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in description["Outputs"]}


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.backfill", description=__doc__.split("\n")[0])
    selection = parser.add_mutually_exclusive_group(required=True)
    selection.add_argument("--prefix", help='score all objects with this prefix ("": the whole bucket)')
    selection.add_argument(
        "--manifest",
        metavar="S3_URI",
        help="score the objects in an S3 Inventory's manifest.json, or in a CSV of bucket,key",
    )
    selection.add_argument("--job", metavar="ID", help="only show the progress of a job")
    parser.add_argument("--stack", default="aqscore", help="name of the stack (aqscore)")
    parser.add_argument("--rescore", action="store_true", help="include objects that have a result")
    parser.add_argument("--queue", action="store_true", help="use the stack's queue, without a job")
    parser.add_argument("--rate", type=float, default=50.0, help="messages a second with --queue (50)")
    parser.add_argument("--dry-run", action="store_true", help="only list and estimate")
    parser.add_argument("--yes", action="store_true", help="start without asking")
    options = parser.parse_args(arguments)
    if options.rate <= 0:
        parser.error(f"--rate is {options.rate:g}, expected a number above 0")
    return options


if __name__ == "__main__":
    sys.exit(main())
