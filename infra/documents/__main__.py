"""Writes the generated parts of the documents: ``python -m infra.documents``.

Run it after the release of a model, a run of the benchmarks, or a change of the page, of the command's output
or of the template's parameters.
"""

from infra import deploy
from infra.documents import figures, parameters, pictures, readme, sound_examples
from infra.documents.sections import write_section


def main() -> None:
    described, measured = figures.model(), figures.benchmarks()
    sound_examples.update()
    write_section(figures.COMPARISON, "shipped model", figures.shipped_model(described, measured))
    write_section(figures.SCALING, "service time", figures.service_time(measured))
    write_section(figures.SCALING, "capacity", figures.capacity(measured))
    write_section(figures.SCALING, "burst", figures.burst(measured))
    write_section(readme.PAGE, "result", readme.result())
    write_section(readme.PAGE, "accuracy", readme.accuracy(described))
    for page in (readme.PAGE, parameters.PAGE):
        write_section(page, "price", f"{deploy.price()}\n")
    write_section(parameters.PAGE, parameters.SECTION, parameters.tables())
    pictures.update()  # last: it needs Chromium


if __name__ == "__main__":
    main()
