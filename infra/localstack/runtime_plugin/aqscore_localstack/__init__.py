"""LocalStack plugin that runs functions of PackageType Image behind AWS's Runtime Interface Emulator.

LocalStack's community edition accepts such functions and never runs them. It does let a plugin say
how a function runs, chosen by name in ``LAMBDA_RUNTIME_EXECUTOR``:

``aqscore-process``
    the handler as a process of this machine: no container engine needed.
``aqscore-container``
    the function's own image, through the Docker API (Docker or podman).
"""
