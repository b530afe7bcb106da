"""What AWS's own linters say of the template."""

import tools
from report import Report, require

# One far from the other in age: a resource type that a region lacks is an error there.
REGIONS = ("us-east-1", "eu-central-1")


def run(report: Report) -> None:
    report.run("lint", {
        "cfn-lint has nothing to say": cfn_lint,
        "sam validate --lint has nothing to say": sam_validate,
    })


def cfn_lint() -> str:
    # Informational rules too; none is ignored.
    said = tools.call("cfn-lint", "--regions", *REGIONS, "--include-checks", "I", "--", "template.yaml")
    require(said.returncode == 0, said.stdout)
    return ", ".join(REGIONS)


def sam_validate() -> None:
    said = tools.call("sam", "validate", "--lint", "--region", REGIONS[0])
    require(said.returncode == 0, said.stdout)
