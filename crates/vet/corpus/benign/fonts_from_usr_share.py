# label: benign
# expect: V101
# note: Draws a certificate with a font from /usr/share; a read outside that many programs do.
from PIL import Image, ImageDraw, ImageFont

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


def certificate(name, out):
    img = Image.new("RGB", (1200, 800), "white")
    d = ImageDraw.Draw(img)
    try:
        font = ImageFont.truetype(FONT, 48)
    except OSError:
        font = ImageFont.load_default()
    d.rectangle((20, 20, 1180, 780), outline="navy", width=6)
    d.text((600, 400), name, font=font, fill="black", anchor="mm")
    img.save(out)


certificate("Ada Lovelace", "certificate.png")
