"""The backend passes every section of polykeras' conformance suite."""

import pytest

from polykeras import conformance


@pytest.mark.parametrize("section", conformance.section_names())
def test_section(section):
    # "gaps" sees to it that each declared gap of the section is about some case.
    conformance.run("mlx", sections=[section, "gaps"]).require()
