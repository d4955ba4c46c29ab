"""Which argument was meant by a name that a tool does not have.

Other servers and the gateways have words of their own for the same things, and a model that knows them writes them
here. The most alike of our names may then mean the contrary (`first_frame` is spelt more like `last_frame` than like
`image`, and would make and pay for the reverse video): so the words of the field come first, likeness only after them.
"""

from collections.abc import Collection, Iterator, Mapping

from ...domain.spelling import nearest

_WORDS: Mapping[str, str] = {
    "image": (
        "first_frame first_image start_frame start_image input_image init_image source_image image_url image_path "
        "img_url first_frame_image first_frame_url start_image_url input_image_url keyframe image_start"
    ),
    "images": (
        "image first_frame first_image start_frame start_image input_image init_image source_image image_url "
        "image_path img_url image_urls input_images image_input reference_image reference_images references "
        "input_image_url reference_image_url"
    ),
    "last_frame": (
        "end_frame end_image last_image tail_image image_tail image_end final_frame last_frame_image last_frame_url "
        "end_image_url last_image_url"
    ),
    "reference_images": "images reference_image references image_urls input_images ref_images subject_images",
    "reference_videos": "video videos video_url video_urls input_video reference_video source_video",
    "reference_audios": "audios audio_url audio_urls input_audio audio_file reference_audio",
    "mask": "mask_image mask_url",
    "aspect_ratio": "ratio aspect aspectratio orientation frame_ratio",
    "count": "n num number num_images num_videos num_outputs number_of_images number_of_videos batch_size samples",
    "duration_seconds": "length duration seconds num_seconds duration_s video_length audio_length length_seconds",
    "size": "image_size video_size dimensions pixels",
    "resolution": "video_resolution video_size image_size",
    "negative_prompt": "negative neg_prompt exclude avoid",
    "audio": "sound generate_audio with_audio with_sound enable_audio generate_sound",
    "output_format": "format file_format response_format audio_format image_format",
    "output_name": "filename file_name output_filename output_file name",
    "output_dir": "output_directory output_folder directory folder save_path",
    "prompt": "text input lyrics description caption script message text_prompt prompts",
    "voice": "voice_id voice_name speaker",
    "speed": "rate speaking_rate tempo",
    "language": "lang language_code locale",
    "instructions": "style emotion tone style_instructions",
    "provider_options": "options params parameters extra extra_params extra_body model_options",
    "from_task": "task_id source_task parent_task",
    "wait_seconds": "wait timeout timeout_seconds wait_for_result",
    "force_new": "force no_cache",
    "dry_run": "preview simulate test",
    "shots": "clips clip videos video images segments scenes shot inputs sources files tracks timeline",
    "sounds": "audio audios sound audio_tracks audio_track music score soundtrack",
    "transition_seconds": (
        "transition transitions transition_duration crossfade cross_fade crossfade_seconds cross_fade_seconds "
        "crossfade_duration xfade dissolve dissolve_seconds overlap overlap_seconds"
    ),
    "fade_out_seconds": "fade_out fadeout fadeout_seconds fade_out_duration",
    "model": "model_id model_name engine",
    "provider": "gateway backend vendor",
    "watermark": "add_watermark logo",
    "seed": "random_seed noise_seed",
    "task_id": "id task job generation_id",
    "job_id": "external_id",
    "index": "output number output_index n",
    "at_seconds": "timestamp time seconds frame position at",
    "abandon": "force give_up",
    "state": "status",
    "query": "search text q filter name prompt model",
    "limit": "page_size count max max_results n",
    "cursor": "page next_cursor page_token offset",
    "kind": "type media_type modality",
}
"""Ours → theirs. A word may stand with several of ours: the first that the tool has is meant."""

_OF_GATEWAYS = frozenset(
    [
        "camera",
        "camera_control",
        "camera_fixed",
        "cfg_scale",
        "enhance_prompt",
        "generation_type",
        "guidance_scale",
        "loras",
        "mode",
        "motion",
        "prompt_optimizer",
        "sampler",
        "steps",
        "strength",
        "style_preset",
        "tags",
        "temperature",
        "title",
    ]
)
"""What gateways have and rushes has no word for."""


def meant(name: str, given: Mapping[str, object], known: Collection[str]) -> str:
    """What to say of an unknown argument: ` Did you mean …?`, where it stands else, or nothing where no name is near.

    Args:
        name: The argument that the tool does not have.
        given: All arguments of the call.
        known: The arguments of the tool.
    """
    word = name.strip().casefold().replace("-", "_").replace(" ", "_")
    if word in {"width", "height"}:
        return _shape(given, known)
    if (ours := next(_ours(word, known), None)) is not None:
        return f" Did you mean {ours!r}?{_first_frame(word, ours)}"
    if word == "style" and "prompt" in known:
        return " Say the style in 'prompt'."
    if word in _OF_GATEWAYS and "provider_options" in known:
        return f" A gateway's own field goes into provider_options: {{{name!r}: ...}}."
    near = nearest(word, known)
    return f" Did you mean {near!r}?" if near else ""


def _ours(word: str, known: Collection[str]) -> Iterator[str]:
    spelt = word.replace("_", "")
    yield from (name for name in known if name.replace("_", "") == spelt)
    yield from (ours for ours, theirs in _WORDS.items() if ours in known and word in theirs.split())


def _first_frame(word: str, ours: str) -> str:
    """Of pictures in the plural it is not sure what they are to be."""
    plural = ours == "reference_images" and not word.startswith("ref")
    return " For a first frame it is 'image'." if plural else ""


def _shape(given: Mapping[str, object], known: Collection[str]) -> str:
    """Pixels by two names, in the words of the tool."""
    both = [given.get(name) for name in ("width", "height")]
    pixels = "x".join(str(side) for side in both) if all(isinstance(side, int) for side in both) else "WIDTHxHEIGHT"
    if "size" in known:
        return f" Give both as size: {pixels!r}."
    return " Give aspect_ratio and resolution." if "aspect_ratio" in known else ""
