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


def test_the_pages_on_deployment_name_the_gpl():
    for page in ("README.md", "docs/deploy.md"):
        text = (ROOT / page).read_text()
        assert "GPL" in text and "`Formats=basic`" in text, page


def test_a_package_of_several_images_names_them_all():
    [row] = [line for line in table().splitlines() if line.startswith("| rich |")]
    assert "`Runtime=tensorflow`, the command" in row
