"""infra.image.licences: the list of third-party licences is current."""

from infra.image.licences import LISTS, ROOT, pins, table


def test_the_committed_list_is_current():
    committed = (ROOT / "docs" / "third-party.md").read_text()
    assert committed == table(), "Update it: python -m infra.image.licences > docs/third-party.md"


def test_every_package_of_the_image_is_listed_with_its_version():
    document = table()
    for name in LISTS:
        for package, version in pins(ROOT / name).items():
            assert f"| {package} | {version} | " in document


def test_the_readme_names_the_gpl_beside_the_deployment():
    _, _, deployment = (ROOT / "README.md").read_text().partition("## Deploy it")
    deployment, _, _ = deployment.partition("\n## ")
    assert "**GPL**" in deployment and "`Formats=basic`" in deployment
