"""Reading the hardware file."""

from pathlib import Path

from app.economics.hardware import Hardware, parse_hardware
from app.errors import Invalid


def read_hardware(file: Path) -> Hardware:
    """Return what the hardware file declares. Raises Invalid where it cannot be read or is wrong."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Invalid(
            f"the hardware file {file} cannot be read: {reason}",
            where="FAREMETER_HARDWARE_FILE",
            hint="declare each device in a hardware.toml; the repository has an example",
        ) from None
    return parse_hardware(text)
