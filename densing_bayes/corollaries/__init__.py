"""What follows from the growth of density together with further data: a folder for each.

What the joint model answers alone stands in ``quantities``; no folder imports another, except
``trends``. Public face: ``sections`` (`corollary_sections`), ``commands`` (`register`) and the
``model`` of each folder.
"""
