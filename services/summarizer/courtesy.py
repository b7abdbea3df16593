"""Sentences that people and agents say around what they mean: greetings, thanks, who they are, and how to go on."""

import re

LONGEST = 200  # characters: what is longer tells something

_HELP = r"(?:assist|help|assistance|support)"
_KINDS = (
    # greetings and assents
    r"(?:hi|hello|hey|dear|good\s(?:morning|afternoon|evening|day)|greetings)\b(?:\W+\w+){0,3}\W*$",
    r"(?:yes|no|okay|ok|sure|alright|right|great|perfect|please|certainly|of\scourse|absolutely)\b(?:\W+\w+){0,2}\W*$",
    # calls for help that do not say with what
    rf"(?:can|could|would|will)\s(?:you|someone|anyone)\s(?:please\s)?{_HELP}\b.{{0,40}}\?$",
    r"(?:please\s)?help\s(?:me|us)(?:\s(?:out|with\s(?:this|that|it)))?\W*$",
    rf"(?:i|we)\s(?:really\s)?(?:need|want|would\slike|could\suse)\s(?:some\s|your\s)?{_HELP}\W*$",
    # thanks and apologies
    r"(?:many\s)?thank(?:s|\syou)\b.{0,120}$",
    r"(?:i|we)\s(?:really\s)?appreciate\b.{0,80}$",
    r"you(?:['’]re|\sare)\s(?:very\s|most\s)?welcome\b.{0,60}$",
    r"(?:(?:i|we)(?:['’](?:m|re)|\sa(?:m|re))\s)?(?:so\s|very\s|really\s|extremely\s)?sorry\b(?:\s(?:for|about|to\shear|that)\b.{0,60})?\W*$",
    r"(?:i|we|my)\sapolog(?:i[sz]es?|ies)\b.{0,120}$",
    r"(?:i|we)\s(?:completely\s|fully\s)?understand\b.{0,80}$",
    # who the user is
    r"(?:(?:sure|yes|ok|okay|of\scourse|certainly)\W{1,3})?(?:here\sis\s|it['’]?s\s|it\sis\s)?my\s(?:\w+\s){0,2}name\sis\b",
    r".{0,60}\b(?:id|number|e-?mail|address|code|account|birthday|phone)(?:\sis|\sused\sto\sbe|:)\s\S{0,60}[\d@_#]\S{0,60}$",
    r".{0,40}\bdon['’]t\s(?:have|remember|know)\b.{0,40}\b(?:id|number)s?\b.{0,50}$",
    r"(?:\S{1,20}\s){0,5}\S{1,80}@\S{1,80}$",
    # how to go on, and good-byes
    r"(?:(?:no|yes|okay|ok|and|great|perfect)\W{1,3})?(?:i\sthink\s)?that(?:['’]s|\sis|\swill\sbe|\swould\sbe)\s(?:all|everything|it)\b",
    r"(?:i\s)?hope\s(?:this|these|that|it|you|your)\b",
    rf"(?:how|what)\s(?:else\s)?(?:can|may|could)\si\s(?:{_HELP}|do\sfor)\b",
    r"(?:is|was)\sthere\sanything\s(?:else|more)\b",
    r"(?:please\s)?(?:hold\son|bear\swith\sme|(?:just\s)?(?:one|a)\smoment)\b",
    r"(?:if|should|in\scase|whenever)\s(?:you|there)\b.{0,120}\b(?:questions?|assistance|help|concerns?|anything|know|ask)\b",
    r"(?:please\s)?(?:feel\sfree|don['’]t\shesitate|do\snot\shesitate|let\s(?:me|us)\sknow)\b",
    r"(?:i|we)['’ ]?\s?(?:a?m|a?re|ll\sbe)\s(?:always\s|right\s)?(?:here|glad|happy|pleased)\b",
    rf"(?:always\s)?(?:glad|happy|pleased)\s(?:to|(?:i|we)\scould)\s{_HELP}\b|anything\selse\b",
    r"(?:have|enjoy)\s(?:a|your|the)\s(?:\w+\s){0,4}(?:day|evening|flight|trip|weekend|one|time|stay|week)\b",
    r"(?:safe\s(?:travels|journey)|take\scare|goodbye|bye|cheers|(?:(?:kind|best|warm)\s)?regards|(?:good|best\sof)\sluck)\b",
)
_COURTESY = re.compile(rf"\W{{0,3}}(?:{'|'.join(_KINDS)})", re.IGNORECASE)
_OPENING = re.compile(
    r"(?:(?:assistant|ai|agent|bot|user|human)\s?[:：]\s{0,9})?"
    r"(?:(?:hi|hello|hey|dear|good\s(?:morning|afternoon|evening))(?:\s\w{1,20}){0,3}\s?[,!.]{1,9}\s{1,9})?",
    re.IGNORECASE,
)


def is_courtesy(sentence: str) -> bool:
    return len(sentence) <= LONGEST and _COURTESY.match(sentence) is not None


def without_greeting(sentence: str) -> str:
    """Without the speaker's name and the greeting before what is meant, with a capital."""
    said = _OPENING.sub("", sentence, count=1)
    return said[:1].upper() + said[1:]
