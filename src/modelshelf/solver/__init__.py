"""What fits together: one version of every package that is needed, or a proof that none exists.

The room knows integers and bit masks only. A package is an integer from 0 up. Its versions are
numbered from 1, the newest first. A set of choices for one package is a mask: bit 0 says "not
there", bit i "version i". `0b0110` is one of the two newest versions; `0b0111` the same, if the
package is there at all.

Protocol: `solve.Provider` has three methods (how many versions, what one version depends on, which
versions are locked). `solve.solve` asks only for what it needs, and returns package to version
number or raises `solve.NoSolution`, whose derivation `explain.explain` turns into sentences with
words that the caller supplies for a package and a mask, after `shorten.shortened` has left out
every fact that the proof can do without.

How: PubGrub (https://nex3.medium.com/pubgrub-2fb6470504f). With masks, negation, subset and
resolvent are one integer operation each, and "no version matches" needs no rule of its own.
"""
