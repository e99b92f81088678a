#!/usr/bin/env bash
# Makes the files of this folder anew, in the current folder. README.md says which program made which, and its version.
# Needs (Debian): ffmpeg imagemagick libheif-examples libreoffice-writer-nogui libreoffice-calc-nogui
# zip; (PyPI): openpyxl python-pptx reportlab.
set -euo pipefail

tone=(-f lavfi -i "sine=frequency=440:duration=0.3")
film=(-f lavfi -i "testsrc=size=64x48:rate=5:duration=0.6")
ff() { ffmpeg -loglevel error -y "$@"; }

# Sounds
ff "${tone[@]}" -ac 1 -b:a 32k -metadata title=Tone tone.mp3
ff "${tone[@]}" -ac 1 -b:a 32k -id3v2_version 0 -write_xing 0 bare.mp3
ff "${tone[@]}" -ac 1 -ar 22050 -b:a 16k -id3v2_version 0 -write_xing 0 mpeg2.mp3
ff "${tone[@]}" -ac 1 -b:a 32k -f mp2 layer2.mp2
ff "${tone[@]}" -ac 1 -b:a 32k -c:a aac tone.m4a
ff "${tone[@]}" -ac 1 -b:a 32k -c:a aac -f adts tone.aac
ff "${tone[@]}" -ac 1 -c:a libvorbis -q:a 0 tone.ogg
ff "${tone[@]}" -ac 1 -b:a 12k -c:a libopus tone.opus
ff "${tone[@]}" -ac 1 -ar 8000 tone.wav
ff "${tone[@]}" -ac 1 -ar 8000 tone.flac

# Films
ff "${film[@]}" -c:v libx264 -pix_fmt yuv420p -crf 40 film.mp4
ff "${film[@]}" -c:v libx264 -pix_fmt yuv420p -crf 40 film.mov
ff "${film[@]}" -c:v libx264 -pix_fmt yuv420p -crf 40 film.mkv
ff "${film[@]}" -c:v libvpx -b:v 20k film.webm
ff "${film[@]}" -c:v libtheora -q:v 1 film.ogv

# Pictures
convert -size 16x16 gradient:red-blue picture.png
for type in jpg gif webp; do convert picture.png "picture.$type"; done
heif-enc -q 20 picture.png -o picture.heic >/dev/null
heif-enc -A -q 20 picture.png -o picture.avif >/dev/null

# A sound whose tag holds a picture and ends behind the first 4,096 bytes
convert -size 48x48 xc: +noise Random -seed 1 cover.png
ff -i tone.mp3 -i cover.png -map 0:a -map 1:v -c:a copy -c:v copy -disposition:v attached_pic cover.mp3
rm cover.png

# Documents
printf 'A letter\n' > letter.txt
printf 'a,b\n1,2\n' > table.csv
office() { soffice --headless --convert-to "$@" >/dev/null 2>&1; }
office odt letter.txt && office docx letter.odt && office pdf letter.odt
office ods table.csv && office xlsx table.ods
python3 - <<'PY'
import openpyxl
book = openpyxl.Workbook()
book.active["A1"] = "A table"
book.save("openpyxl.xlsx")
from pptx import Presentation
slides = Presentation()
slide = slides.slides.add_slide(slides.slide_layouts[6])
for layout in list(slides.slide_layouts):
    if layout != slide.slide_layout:
        slides.slide_layouts.remove(layout)
slides.save("slides.pptx")
from reportlab.pdfgen import canvas
page = canvas.Canvas("reportlab.pdf", invariant=1)
page.drawString(72, 720, "A page")
page.save()
pdf = open("reportlab.pdf", "rb").read()
open("bom.pdf", "wb").write(b"\xef\xbb\xbf" + pdf)
open("lines.pdf", "wb").write(b"\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n\r\n" + pdf)

# Text in encodings that are not UTF-8; a log with the colours of a terminal
texts = {
    "utf-16-le": ("\ufeffGrüße aus dem Hafen\r\n", "utf-16-le"),
    "utf-16-be": ("\ufeffGrüße aus dem Hafen\r\n", "utf-16-be"),
    "cp1252": ("Grüße aus dem Café – 5 €\r\n", "cp1252"),
    "gbk": ("你好,世界\n", "gbk"),
    "shift-jis": ("こんにちは世界\n", "shift_jis"),
    "colours": ("\x1b[32mINFO\x1b[0m started\n\x1b[31mERROR\x1b[0m stopped\n", "ascii"),
    "headline": ("<headline> is what comes first, <body-text> what follows\n", "ascii"),
}
for name, (text, encoding) in texts.items():
    open(f"{name}.txt", "wb").write(text.encode(encoding))
PY

# Archives: a program, and a Java archive by its manifest
printf 'MZ not a real program' > setup.exe && zip -qX program.zip setup.exe
mkdir -p META-INF && printf 'Manifest-Version: 1.0\n' > META-INF/MANIFEST.MF && zip -qXr java.jar META-INF
rm -r setup.exe META-INF letter.txt table.csv
