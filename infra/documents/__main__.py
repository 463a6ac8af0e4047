"""Writes the generated parts of the documents: ``python -m infra.documents``.

Run it after the release of a model, a run of the benchmarks, or a change of the command's output.
"""

from infra.documents import figures, sound_examples
from infra.documents.sections import write_section


def main() -> None:
    described, measured = figures.model(), figures.benchmarks()
    sound_examples.update()
    write_section(figures.COMPARISON, "shipped model", figures.shipped_model(described, measured))
    write_section(figures.SCALING, "service time", figures.service_time(measured))
    write_section(figures.SCALING, "capacity", figures.capacity(measured))
    write_section(figures.SCALING, "burst", figures.burst(measured))


if __name__ == "__main__":
    main()
