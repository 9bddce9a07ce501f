"""The parameters that the types about videos share."""

from collections.abc import Mapping

from refonte_studio.task_types.parts.parameters import Parameter, flag, free, mixed, number, text, whole

VIDEO_PARAMETERS: Mapping[str, Parameter] = {
    "events_to_annotate": mixed("What may happen in the video: names."),
    "frame_rate": number("Frames per second to annotate."),
    "annotation_frame_rate": number("The same as frame_rate, where the video has another one."),
    "video_frame_rate": number("Frames per second of the video itself."),
    "start_time": number("Where to start in the video, in seconds."),
    "duration_time": number("How much of the video to annotate, in seconds."),
    "duration_s": number("How long the video is, in seconds; times must then lie within it."),
    "frame_count": whole("How many frames the video has; frames must then be among them."),
    "video_url": text("The whole video, for reference."),
    "meters_per_unit": number("Given back by older clients; accepted and echoed."),
    "keyframes": free("Frames to annotate first."),
    "efficient_interpolation": flag("Whether the editor fills in the frames between keyframes."),
}
