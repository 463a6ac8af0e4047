"""Entry points: the names of the two runtime executors in LocalStack."""

from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin


class ProcessExecutorPlugin(RuntimeExecutorPlugin):
    """``LAMBDA_RUNTIME_EXECUTOR=aqscore-process``."""

    name = "aqscore-process"

    def load(self, *args, **kwargs):
        from aqscore_localstack.process import ProcessExecutor

        return ProcessExecutor


class ContainerExecutorPlugin(RuntimeExecutorPlugin):
    """``LAMBDA_RUNTIME_EXECUTOR=aqscore-container``."""

    name = "aqscore-container"

    def load(self, *args, **kwargs):
        from aqscore_localstack.container import ContainerExecutor

        return ContainerExecutor
