"""Where bytes lie, by digest: files named by their sha256, on local disk.

Front door: `disk.DiskStore` keeps whole files, takes them in piece by piece and links them out;
`digest.hash_file` computes in one pass the digests that the registry's foreign clients ask for.
The store knows nothing of packages. Another back end is another module with the methods of
`DiskStore`.
"""
