"""Pages in the shape of PyTorch Hub's, of models that do not exist."""

from __future__ import annotations

from pathlib import Path

WREN = """\
---
layout: hub_detail
title: WrenNet
summary: Small networks pre-trained on DigitSet
category: researchers
image: wren.png
author: Acme Team
tags: [vision, scriptable]
github-link: https://github.com/Acme/nets/blob/main/nets/wren.py
github-id: Acme/nets
featured_image_1: no-image
accelerator: \u201ccuda-optional\u201d
demo-model-link: https://demo.example/wren
---

```python
import torch
model = torch.hub.load('Acme/nets:v1.0', 'wren18', pretrained=True)
# or any of these variants
# model = torch.hub.load('Acme/nets:v1.0', 'wren50_bn', pretrained=True)
model.eval()
```

All models want pictures.

### Requirements

```bash
pip install acme-tools
```

### Model Description

Their 1-crop error rates on the DigitSet dataset are listed below.

| Model structure | Top-1 error | Top-5 error |
| --------------- | ----------- | ----------- |
|  wren18         | 30.5        | 10.5        |
|  wren50_bn      | 24.25       | 7.5         |

### References

 - [Wrens](https://arxiv.org/abs/1234.56789)
"""

SPEAKER = """\
---
title: {title}
summary: {summary}
author: Acme Team
tags: [audio]
github-link: https://github.com/Acme/speech
accelerator: cuda
---

```python
import torch
{own} = torch.hub.load('acme/speech', 'acme_{own}')
```
will load a model trained on the Talk dataset.

```python
{other} = torch.hub.load('acme/speech', 'acme_{other}')
utils = torch.hub.load('acme/speech', 'acme_tts_utils')
with torch.no_grad():
    mel = speaker.infer(utils.prepare(text))
    audio = vocoder(mel)
```
"""

TRANSLATOR = """\
---
title: Shifter (NMT)
summary: Shifter models for translation.
tags: [nlp]
author: Ann Bell
---

## One way

```python
# Load a model trained on WMX'14 data :
a = torch.hub.load('annbell/shift', 'shifter.wmx14.en-fr', bpe='x')
```

## The other

```python
b = torch.hub.load('annbell/shift', 'shifter.wmx19.de-en')
```

More models are listed in [the repository](https://github.com/annbell/shift).
"""

TEMPLATE = "---\ntitle: <REQUIRED: short model name>\n---\n```\ntorch.hub.load('a/b', 'c')\n```\n"

HTML = """\
<!DOCTYPE html><html><head><script>if (1 < 2) { "</p>" }</script></head><body>
<!-- <h1>not this</h1> -->
<h1>
  WrenNet
</h1>
<p class="detail-lead">By Acme Team </p>
<p class="detail-lead lead-summary">Small networks pre-trained on DigitSet</p>
<a href="https://github.com/Acme/nets"><button class="btn detail-github-link">View</button></a>
<a href="https://colab.example/wren.ipynb"><button class="btn detail-colab-link">Open</button></a>
<article class="pytorch-article">
<div class="language-python highlighter-rouge"><pre class="highlight"><code><span>model</span> = \
torch.hub.load(<span>'Acme/nets:v1.0'</span>, 'wren18', pretrained=True)
</code></pre></div>
<p>Error rates on the <em>DigitSet</em> dataset, see <a href="https://arxiv.org/abs/1234.56789">Wrens</a>:</p>
<table><thead><tr><th>Model</th><th>Top-1 error</th></tr></thead>
<tbody><tr><td>wren18</td><td>30.5</td></tr>
<tr><td>wren34</td><td>28.5</td></tr></tbody></table>
<h3>Points</h3>
<ul><li>one <code>a|b</code></li><li>two</li></ul>
</article></body></html>
"""

META = (
    '[{"modelName": "WrenNet", "modelURL": "/hub/acme_nets_wren/", "dataTag": "vision,scriptable"}]'
)


def speakers() -> dict[str, str]:
    """Two pages that need each other: text to sound pictures, and those to sound."""
    first = {"title": "Speaker", "own": "speaker", "other": "vocoder"}
    second = {"title": "Vocoder", "own": "vocoder", "other": "speaker"}
    return {
        "acme_speech_speaker.md": SPEAKER.format(
            **first, summary="The Speaker model for generating mel spectrograms from text"
        ),
        "acme_speech_vocoder.md": SPEAKER.format(
            **second, summary="Vocoder model for generating speech from mel spectrograms"
        ),
    }


def written(folder: Path, pages: dict[str, str]) -> Path:
    """A folder with these files."""
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return folder
