"""Whether a benchmark's score follows from the reference loss, or directly from (N, D).

Prints the held-out error of both links on the largest reference runs, and how well each family of
the current panel foresees the scores of its largest member.

python analyses/link_errors.py
"""

import densing_bayes as db
from densing_bayes.evaluation.left_out_members import left_out_members
from densing_bayes.quantities.link_errors import link_errors

print(link_errors(db.load_spec("joint"), db.load_panel("open")).round(4).to_string())

members = left_out_members(db.load_spec("current"), db.load_panel("current"))
print(members.round(4).to_string(index=False))
print(f"{members['within'].sum()} of {len(members)} inside their 95% intervals")
