"""The files that `init` and `new` write."""

from __future__ import annotations

import datetime
import json

SETTINGS = """\
# What holds for every issue.
publication:
  name: The Example Letter
  url: https://www.example.org
  address: |
    The Example Society
    1 Example Street
    Exampletown
  why: You get this because you signed up at www.example.org.
  lang: en
sender:
  email: news@example.org
theme: digest
# How people leave: the number of your unsubscribe group at SendGrid.
unsubscribe:
  group_id: 1
"""

GITIGNORE = ".env\n.newsletter/\nout/\n"

ENVIRONMENT = """\
# Secrets: never commit this file. As it stands, mail goes to `newsletter sandbox` on this machine. For the real thing,
# put your own key here, and remove the second line (or set https://api.eu.sendgrid.com for an EU account).
SENDGRID_API_KEY=SG.a-key-for-the-sandbox
SENDGRID_HOST=http://127.0.0.1:8025
"""

SUBSCRIBERS = """\
email,name,region
ada@example.org,Ada Example,north
ben@example.org,Ben Example,south
cleo@example.org,,
"""

SAMPLE = """\
# yaml-language-server: $schema=issue.schema.json
subject: Hello, {{ subscriber.first_name or "friend" }}
preheader: The first issue of our newsletter
date: DATE
slug: hello
blocks:
  - type: text
    body: |
      Dear {{ subscriber.first_name or "friend" }},

      this is what an issue looks like. A text is written in **Markdown**, with
      [links](https://www.example.org/about).
  - type: section
    title: News
  - type: story
    headline: A story has a headline and a text
    url: https://www.example.org/story
    body: One to three paragraphs, and a link to the rest.
    label: Read the story
  - type: quote
    text: Short, clear, and on time.
    attribution: Ada Example
    role: reader
"""


def new_issue(title: str, slug: str, date: datetime.date) -> str:
    """A new issue with what it can hold in comments."""
    return f"""\
# yaml-language-server: $schema=issue.schema.json
subject: {json.dumps(title, ensure_ascii=False)}
# The line that inboxes show after the subject; 40 to 100 characters.
preheader: What this issue is about
date: {date}
slug: {slug}
# theme: digest                # or another folder of templates/
# lang: en                     # the language; the publication's when left out
# from: {{email: news@example.org, name: Somebody}}
# reply_to: somebody@example.org
# tags: [spring]               # for the provider's statistics
# link_parameters: {{utm_campaign: {slug}}}
blocks:
  - type: text
    body: |
      Dear {{{{ subscriber.first_name or "friend" }}}},

      a text is written in Markdown.
    # when: subscriber.region == "north"     # only for some
  # - type: section
  #   title: News
  # - type: story
  #   headline: A headline
  #   url: https://www.example.org/story
  #   image: {{src: images/photo.jpg, alt: What the picture shows}}
  #   image_position: left                   # left, right or top
  #   byline: By Ada Example
  #   source: The Example Gazette
  #   body: One to three paragraphs.
  #   label: Read the story
  # - type: headlines
  #   items: [A bare one, {{headline: A linked one, url: https://www.example.org/}}]
  # - type: quote
  #   text: What was said.
  #   attribution: Ada Example
  #   role: reader
  # - type: button
  #   label: Join us
  #   url: https://www.example.org/join
  # More kinds: header hero image gallery links events video callout columns divider social footer html
"""
