"""Find things out, on the web or elsewhere, field by field."""

from collections.abc import Mapping
from typing import Any, ClassVar

from refonte_studio.task_types.parts.fields import FIELD_PARAMETERS, FieldsTask
from refonte_studio.task_types.parts.parameters import Parameter, text


class DataCollection(FieldsTask):
    """Named fields. Their source need not be attached."""

    name = "datacollection"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        **FIELD_PARAMETERS,
        "text": text("A text to start from."),
    }
    example_params: ClassVar[dict[str, Any]] = {
        "instruction": "Find the page where this company lists its open positions.",
        "attachment": "https://example.com/",
        "attachment_type": "website",
        "fields": [
            {"field_id": "hiring_page", "title": "Hiring page", "type": "url"},
            {"field_id": "positions", "title": "Open positions", "type": "integer", "min": 0, "required": False},
        ],
    }
    example_response: ClassVar[dict[str, Any]] = {
        "fields": {"hiring_page": "https://example.com/careers", "positions": 12}
    }


TYPE = DataCollection()
