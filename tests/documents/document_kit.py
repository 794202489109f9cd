"""Documents made on the spot: a small PDF and a Word file with given text."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import docx
from docx.oxml.ns import qn
from docx.oxml.parser import OxmlElement


def pdf(pages: Sequence[Sequence[str]]) -> bytes:
    """A PDF whose pages show these lines, Chinese or not, without an embedded font."""
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(pages)} /Kids [{_kids(len(pages))}] >>",
        "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H"
        " /DescendantFonts [4 0 R] >>",
        "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo"
        " << /Registry (Adobe) /Ordering (GB1) /Supplement 0 >> /DW 1000 >>",
    ]
    for number, lines in enumerate(pages):
        shown = "".join(f"<{line.encode('utf-16-be').hex()}> Tj 0 -20 Td\n" for line in lines)
        stream = f"BT /F1 12 Tf 50 800 Td\n{shown}ET"
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R"
            f" >> >> /Contents {6 + 2 * number} 0 R >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    return _file(objects)


def _kids(count: int) -> str:
    return " ".join(f"{5 + 2 * number} 0 R" for number in range(count))


def _file(objects: Sequence[str]) -> bytes:
    out = io.BytesIO(b"")
    out.write(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(f"{number} 0 obj\n{body}\nendobj\n".encode("ascii"))
    table = out.tell()
    rows = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    out.write(f"xref\n0 {size}\n0000000000 65535 f \n{rows}".encode("ascii"))
    out.write(f"trailer << /Size {size} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF".encode("ascii"))
    return out.getvalue()


def word() -> Any:
    """An empty Word document."""
    return docx.Document()


def saved(document: Any) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def inserted(paragraph: Any, text: str) -> None:
    """Text that was inserted while changes were tracked."""
    change = OxmlElement("w:ins")
    run = OxmlElement("w:r")
    words = OxmlElement("w:t")
    words.text = text
    run.append(words)
    change.append(run)
    paragraph._p.append(change)


def deleted(paragraph: Any, text: str) -> None:
    """Text that was deleted while changes were tracked."""
    change = OxmlElement("w:del")
    run = OxmlElement("w:r")
    words = OxmlElement("w:delText")
    words.text = text
    run.append(words)
    change.append(run)
    paragraph._p.append(change)


def outlined(paragraph: Any, level: int) -> None:
    """The paragraph with an outline level of its own (0 is the highest)."""
    mark = OxmlElement("w:outlineLvl")
    mark.set(qn("w:val"), str(level))
    paragraph._p.get_or_add_pPr().append(mark)


def in_control(document: Any, paragraph: Any) -> None:
    """The paragraph put into a content control."""
    control = OxmlElement("w:sdt")
    content = OxmlElement("w:sdtContent")
    control.append(content)
    document.element.body.insert_element_before(control, "w:sectPr")
    content.append(paragraph._p)
