"""The report of a fit: its sections, their assembly, and the files it is written to.

Sections of corollaries stand in their folders, sentences and figures in ``display``. Public face:
``assembly`` (`make_report`), ``files`` (`write_report`) and ``gallery`` (`get_plot_data`).
"""
