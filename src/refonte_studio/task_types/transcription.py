"""Copy out what an attachment says, field by field."""

from collections.abc import Mapping
from typing import Any, ClassVar

from refonte_studio.task_types.parts.fields import FIELD_PARAMETERS, FieldsTask
from refonte_studio.task_types.parts.parameters import Parameter, need_one, text


class Transcription(FieldsTask):
    """Named fields, read from an attachment."""

    name = "transcription"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        **FIELD_PARAMETERS,
        "text": text("The text to read, instead of an attachment."),
        "language": text("The language of the attachment."),
    }
    example_params: ClassVar[dict[str, Any]] = {
        "instruction": "Copy the title of the page, and each dish of the menu with its price.",
        "attachment": "https://example.com/menu.pdf",
        "attachment_type": "pdf",
        "fields": {"title": "The title of the page", "currency": "The currency of the prices"},
        "repeatable_fields": [
            {"field_id": "dish", "title": "Dish", "type": "text"},
            {"field_id": "price", "title": "Price", "type": "number", "min": 0, "required": False},
        ],
    }
    example_response: ClassVar[dict[str, Any]] = {
        "fields": {"title": "Lunch menu", "currency": "EUR"},
        "repeatable_fields": [{"dish": "Onion soup", "price": 6.5}, {"dish": "Bread"}],
    }

    def check_own_params(self, params: dict[str, Any]) -> None:
        super().check_own_params(params)
        need_one(params, "attachment", "attachments", "text")


TYPE = Transcription()
