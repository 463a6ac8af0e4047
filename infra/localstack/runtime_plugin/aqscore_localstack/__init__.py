"""LocalStack plugin that runs functions of PackageType Image behind AWS's Runtime Interface Emulator.

LocalStack's community edition accepts such functions but can't run them. A plugin can provide a runtime
executor, which ``LAMBDA_RUNTIME_EXECUTOR`` selects by name:

``aqscore-process``
    the handler as a process of this machine: no container engine needed.
``aqscore-container``
    the function's own image, through the Docker API (Docker or podman).
"""
