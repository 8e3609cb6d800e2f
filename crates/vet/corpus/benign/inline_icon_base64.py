# label: benign
# expect:
# note: A tiny PNG kept as base64 and written to a file; decoded data is stored, never run.
import base64
import pathlib

# 1x1 transparent pixel, used as a placeholder in the HTML report.
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAC"
    "hwGA60e6kgAAAABJRU5ErkJggg=="
)


def main():
    out = pathlib.Path("report")
    out.mkdir(exist_ok=True)
    (out / "pixel.png").write_bytes(base64.b64decode(PIXEL))
    (out / "index.html").write_text(
        f'<!doctype html><title>r</title><img src="data:image/png;base64,{PIXEL}">'
    )


main()
