"""The OpenAPI document of the HTTPS API: servers, authentication, tags, examples and errors."""

from typing import Any

from fastapi import FastAPI

from aqscore.http.bodies import FORM, JSON, MAX_JSON_BYTES
from aqscore.http.problems import MEDIA_TYPE
from aqscore.http.requests import NamedObject, Problem, Upload

DESCRIPTION = """\
Scores recordings of speech without a reference, on the scale of wideband PESQ (ITU-T P.862.2).

Names of fields and parameters end in their unit: `_s` seconds, `_hz` hertz, `_dbfs` decibels relative to full
scale, `_db` decibels, `_bytes` bytes, `share` a share from 0 to 1. Scores are MOS-LQO, 1.04 to 4.64, and
severities are points of it; `mos` estimates the mean opinion of listeners, 1 to 5.
"""
TAGS = [
    {"name": "Scores", "description": "Score a recording in one request, or look up a result."},
    {"name": "Uploads", "description": "Recordings that are too large for one request."},
    {"name": "Service", "description": "The model, and whether the API answers."},
]
# "." is the folder that openapi.json is in: right behind a stage of API Gateway, too.
SERVERS: list[dict[str, Any]] = [
    {"url": ".", "description": "The server of this document"},
    {
        "url": "https://{api}.execute-api.{region}.amazonaws.com/live",
        "description": "A stack in AWS: its output ApiUrl",
        "variables": {
            "api": {"default": "abcdefghij", "description": "The id of the stack's REST API"},
            "region": {"default": "eu-central-1"},
        },
    },
    {"url": "http://127.0.0.1:8000", "description": "aqscore serve"},
]
# The stack's parameter Authentication chooses one. Servers of your own need none.
SECURITY_SCHEMES = {
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "AWS Signature Version 4, with Authentication=AWS_IAM (the default)",
        "x-amazon-apigateway-authtype": "awsSigv4",
    },
    "api_key": {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "A key of the stack's usage plan, with Authentication=API_KEY",
    },
}
SECURITY: list[dict[str, list[str]]] = [{"signature": []}, {"api_key": []}, {}]

ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}}
    for status, text in {
        400: "The request names nothing that can be scored",
        403: "The object may not be scored through the API",
        404: "No such object or score",
        413: "Too large or too long",
        415: "No audio that can be decoded",
        422: "The request or the recording is not valid, or takes longer to score than a request may",
        501: "Not offered by this installation",
        503: "Retry after the seconds in Retry-After",
    }.items()
}
INVALID: dict[int | str, dict[str, Any]] = {422: ERRORS[422]}
PENDING: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "Uploaded, not scored yet: retry after the seconds in Retry-After",
        "headers": {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}},
    }
}
EXAMPLE: dict[str, Any] = {
    "schema_version": "1",
    "source": {"file": "call.wav"},
    "media": {
        "container": "WAV",
        "codec": "PCM_16",
        "sample_rate_hz": 16000,
        "channels": 1,
        "duration_s": 6.165,
        "bandwidth_hz": 7344,
    },
    "model": {
        "name": "aqscore-bilstm",
        "version": "2.2.0",
        "sha256": "9c73b8c53d55e0da" + 48 * "0",
        "scale": "PESQ-WB MOS-LQO",
        "runtime": "onnx",
    },
    "score": 2.41,
    "interval": [1.98, 2.83],
    "verdict": "poor",
    "mos": 2.93,
    "mos_interval": [2.31, 3.52],
    "causes": [
        {"kind": "noise", "share": 0.92, "severity": 1.6, "from_s": 0.0, "to_s": 5.0},
        {"kind": "packet_loss", "share": 0.17, "severity": 0.7, "from_s": 3.0, "to_s": 4.0},
    ],
    "frames": None,
    "timeline": [{"start_s": 0.0, "end_s": 1.0, "score": 2.52, "cause": "noise"}],
    "worst_segment": {"start_s": 3.2, "end_s": 4.2, "score": 1.87, "cause": "packet_loss"},
    "distribution": {"bad": 0.1, "poor": 0.3, "fair": 0.5, "good": 0.1, "excellent": 0.0},
    "signal": {
        "level_dbfs": -24.1,
        "peak_dbfs": -3.2,
        "clipped_share": 0.0,
        "silent_share": 0.08,
        "speech_share": 0.81,
        "snr_db": 14.5,
    },
    "warnings": [],
    "channels": None,
    "timing": {"decode_s": 0.004, "features_s": 0.006, "model_s": 0.021, "total_s": 0.034},
}
SCORED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The report",
        "content": {JSON: {"example": EXAMPLE}},
        "headers": {
            "Location": {
                "description": "Path of the stored result, after the API's address",
                "schema": {"type": "string"},
            },
            "Aqscore-Result": {
                "description": "The stored result, s3://BUCKET/KEY",
                "schema": {"type": "string"},
            },
        },
    }
}
RECORDING_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A recording, as a form's `file` or as the body itself, or the name of an object",
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
            JSON: {"schema": NamedObject.model_json_schema()},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": f"At most {MAX_JSON_BYTES:,} bytes",
        "content": {JSON: {"schema": Upload.model_json_schema()}},
    }
}


def complete(app: FastAPI) -> None:
    """Adds authentication, which FastAPI knows only as code that checks it, to the app's document."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        document["security"] = SECURITY
        document["components"]["securitySchemes"] = SECURITY_SCHEMES
        document["paths"]["/v1/health"]["get"]["security"] = []
        return document

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend it
