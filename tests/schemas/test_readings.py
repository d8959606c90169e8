"""readings.json."""

from __future__ import annotations

import json

from cuesense.schemas.readings import ReadingRow, ReadingTable

TABLE = ReadingTable(
    model="m",
    dataset="d",
    images=64,
    classes=4,
    readings=[
        ReadingRow(reading="r", recognized=60, images=64, log_loss=0.5, options="--mean 0 --std 1", taken=True),
        ReadingRow(reading="s", recognized=0, images=16, failed="needs 96", options=""),
    ],
    remarks=["x"],
)


def test_it_reads_what_it_writes() -> None:
    assert ReadingTable.model_validate_json(TABLE.model_dump_json()) == TABLE


def test_a_table_without_the_images_of_each_row_reads() -> None:
    values = json.loads(TABLE.model_dump_json())
    for row in values["readings"]:
        del row["images"]
    assert [row.images for row in ReadingTable.model_validate(values).readings] == [None, None]
