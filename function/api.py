"""The HTTPS API."""

from typing import Any

from fastapi import FastAPI

from function.model import load_model
from function.settings import Settings

app = FastAPI(title="aqscore", description="Scores recordings of speech without a reference.")


@app.get("/v1/health")
def health() -> dict[str, str]:
    """Says that the function answers; loads nothing."""
    return {"status": "ok"}


@app.get("/v1/model")
def model() -> dict[str, Any]:
    """Which model scores: its name, version, scale and metrics."""
    info = load_model(Settings.from_env()).info
    return {name: info[name] for name in ("name", "version", "scale", "metrics")}
