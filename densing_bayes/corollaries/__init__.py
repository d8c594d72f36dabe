"""What follows from the Densing Law: prices, engines, devices, compression, pay-back, drivers.

Each module is one small model with its own specification (models/corollaries), table (data) and
quantities. Nothing outside this package imports from it but the ledger, the report and the command
line.
"""
