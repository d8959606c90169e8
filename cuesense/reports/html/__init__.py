"""Self-contained pages of a profile and of an audit: one file each that fetches nothing and runs from a folder.

``page.py`` joins what both share (``head.html.j2``, ``page.css``, ``table.js``) and the page's own files. May import
what reports may.
"""
