#!/bin/bash
# Write Markdown pages with links, images and a download, for the site generators to build. Usage: site_pages.sh FOLDER [FRONT-MATTER]
set -eu
folder=$1 front=${2:-}
mkdir -p "$folder/guide" "$folder/img"
words=(harbour engine valve schedule invoice north lantern ferry cargo anchor)
page() { # path title number
  { if [ -n "$front" ]; then printf -- "---\ntitle: %s\ndate: 2024-0%d-11\n---\n\n" "$2" "$(($3 % 9 + 1))"; fi
    printf '# %s\n\n' "$2"
    for i in 1 2 3 4; do printf '## Part %d of the %s\n\nThe %s waits for the %s. See [the next one](%s).\n\n![map](%s)\n\n```python\nprint(%d)\n```\n\n' "$i" "${words[$((($3 + i) % 10))]}" "${words[$((($3 * 3 + i) % 10))]}" "${words[$((($3 * 7 + i) % 10))]}" "$4" "$5" "$i"; done
  } > "$1"
}
page "$folder/index.md" "Harbour handbook" 0 guide/page1.md img/map.png
for n in $(seq 12); do page "$folder/guide/page$n.md" "Chapter $n" "$n" "page$((n % 12 + 1)).md" ../img/map.png; done
printf '[Chapter one](guide/page1.md) [Download](img/plan.zip)\n' >> "$folder/index.md"
for n in $(seq 12); do printf '* [Chapter %d](guide/page%d.md)\n' "$n" "$n" >> "$folder/index.md"; done
base64 -d > "$folder/img/map.png" <<< iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==
head -c 20000 /dev/urandom > "$folder/img/plan.zip"
