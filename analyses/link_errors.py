"""Whether a benchmark's score follows from the reference loss, or directly from (N, D).

Prints the held-out error of both links on the largest reference runs.

python analyses/link_errors.py
"""

import densing_bayes as db
from densing_bayes.quantities.link_errors import link_errors

print(link_errors(db.load_spec("joint"), db.load_panel("open")).round(4).to_string())
