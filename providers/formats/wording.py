"""The words in which gateways, and the models behind them, tell why a generation failed: English, and Chinese for those
that use it. `reasons.py` reads by them."""

import re
from collections.abc import Mapping


def any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_MONEY = r"(?:credits?|points?|coins?|money|payment|balance|amount|fees?|costs?|charges?|quota|funds?)"
_NOT = r"(?:not|no|never|n't|n\u2019t)"
_PAID_WITH = rf"(?:{_MONEY}|account|you|wallet)"
GIVEN_BACK = any_of(
    rf"\b{_MONEY}\b[^.!?;]{{0,40}}\b(?:refunded|reimbursed|credited back|given back|restored to)\b",
    rf"\b{_MONEY}\b[^.!?;]{{0,40}}\breturned (?:to|in full)\b",
    r"\b(?:credits?|points?|coins?|funds|balance)\b(?: [\w-]+){0,6} (?:been|was|were) (?:returned|restored)[.!) ]*$",
    r"(?:^|\() ?(?:\w+ )?(?:credits?|points?|coins?) (?:returned|restored)[.!) ]*$",
    rf"\b(?:refund|reimburse)(?:d|s|ed|ing)?\b[^.!?;]{{0,30}}\b{_PAID_WITH}\b",
    r"\b(?:fully|automatically|been|be|was|were|is|are) refunded",
    r"\brefund (?:has been |was |is |will be )?(?:issued|processed|made|completed|initiated)",
    r"^\s*refunded\b|\bauto(?:matic)?[- ]?refund",
    rf"\b(?:no|zero|0) {_MONEY}\b[^.!?;]{{0,30}}\b(?:charged|deducted|consumed|spent|billed|taken|incurred|applied)",
    rf"\b{_NOT} (?:be |been |get |was |were )?(?:charged?|billed?|deducted)\b",
    rf"\b{_MONEY}\b[^.!?;]{{0,20}}\b{_NOT} (?:be |been )?(?:charged|billed|deducted|consumed)\b",
    r"\b(?:no|without|free of|zero) charge\b|\bnothing (?:was|has been|will be|is) (?:charged|billed|deducted)",
    r"已退|退款|退还|返还|退回|未扣|不扣|没有扣|不会扣|未收取|不收费",
)
GIVEN_BACK_PERHAPS = any_of(
    r"\b(?:if|unless|may|might|could|whether|only when|request(?:ing)? a|contact|ask for|apply for|eligible|pending)\b",
    r"\b(?:not|never|non|no|cannot|can't|won't|isn't|aren't|n't)[- ]?(?:\w+ )?(?:be |been )?(?:refund|return|reimburs)",
    r"\b(?:refund|reimbursement)s?(?: of(?: \w+){1,4})? (?:has |have |was |were )?(?:failed|denied|rejected|declined)",
    r"\b(?:fail(?:s|ed|ing|ure)?|unable|impossible|tr(?:y|ied|ying)) to (?:\w+ )?(?:refund|reimburs|return|restore)",
    r"\bpartial|\bhalf\b|\b(?:part|some|most|portion) of\b|(?<![\d.])(?!100(?:\.0+)? ?%)\d{1,3}(?:\.\d+)? ?%|部分|一半",
    r"退款失败|不予退|无法退|不退|不支持退|如果|如需|申请退",
)
REFUND = any_of(r"refund|reimburs|退款|退还|返还")
_STOP = r"[.!?;\u3002\uff01\uff1f\uff1b]"
SENTENCE_END = re.compile(rf"(?<={_STOP})\s+|(?<=[\u3002\uff01\uff1f\uff1b])|\n+|\s+[-\u2013\u2014|]\s+|[,\uff0c]\s*")
CLAUSE_END = re.compile(rf"(?:{_STOP}|[:\uff1a])\s+|(?:{_STOP}|\uff1a)$")

RATE = any_of(
    r"too many (?:\w+ )?(?:requests?|concurren\w*|tasks|jobs|generations|calls)|rate[ -]?limit|throttl|\bqps\b|\brpm\b",
    r"resources? (?:has |have )?(?:been )?exhausted|requests? per (?:second|minute|hour|day)|slow down",
    r"concurren\w* (?:\w+ )?(?:limit|quota|exceed)",
    r"(?:limit|quota|maximum)\b.{0,20}\b(?:concurren|simultaneous)|overloaded|\bat capacity\b|(?:server|system|service)"
    r"s? (?:is |are )?(?:too |very |currently )?busy|(?:high|heavy|peak) (?:demand|load|traffic)",
    r"上游负载|负载已饱和|请求过于频繁|过于频繁|频率限制|并发|繁忙|限流",
)
_LACK = (
    r"(?:insufficient|not enough|lack(?:ing|s)?(?: of)?|exhausted|out of|too low|low on|zero|negative|depleted|"
    r"exceed(?:s|ed|ing)?|used up|reached|overdue|arrears|expired|empty)"
)
CREDITS = any_of(
    rf"{_LACK}\b.{{0,24}}\b(?:credits?|balance|funds?|quota|wallet|billing)\b",
    rf"\b(?:credits?|balance|funds?|quota|wallet|budget)\b.{{0,28}}\b{_LACK}\b",
    r"\b(?:credits?|balance|funds|quota|wallet)\b (?:is |are |was )?(?:\w+ )?(?:low|below|negative|not sufficient)\b",
    r"\b(?:balance|credits?|quota|funds?)\b.{0,12}\b(?:is|are) not enough|\bno (?:more |remaining )?credits?\b",
    r"payment required|billing (?:hard )?(?:limit|issue|problem)|top[ -]?up|recharge|add (?:more )?(?:credits?|funds)",
    r"spend(?:ing)? (?:limit|cap)|(?:purchase|buy) (?:more )?credits|insufficient_quota|not enough credits?",
    r"reject no credit|quote exceeded",
    r"余额不足|余额|额度不足|额度已|额度|欠费|充值|积分不足|点数不足",
)
CONTENT = any_of(
    r"content[ -](?:polic|filter|violat|moderat|safety|guideline|check|review|restriction)",
    r"content (?:does not|doesn't|did not|may|that|is|was) .{0,40}(?:safety|guideline|polic|violat|inappropriate)",
    r"(?:violat\w*|breach\w*|against|contravenes?|contrary to|(?:do(?:es)?|did) not (?:comply|meet|pass)|"
    r"fail(?:ed|s)?(?: to pass)?)\b.{0,50}\b(?:polic(?:y|ies)|guidelines?|safety|terms|community|usage|moderation|"
    r"content (?:check|review)|copyright|compliance|responsible)",
    r"(?:polic(?:y|ies)|guidelines?|terms of (?:use|service)|copyright|safety|content) violation",
    r"(?:flagged|blocked|rejected|refused|filtered|declined|denied|stopped|removed|disallowed)\b.{0,50}\b(?:safety|"
    r"moderat\w*|sensitive|inappropriate|unsafe|explicit|nsfw|sexual|violen\w*|harm\w*|polic(?:y|ies)|content|"
    r"guardrails?|filter)",
    r"(?:safety|content|moderation|policy|guardrail|image|prompt|input|output)s?\b.{0,16}\b(?:flagged|blocked by)",
    r"(?:safety|moderation)[ -](?:system|filter|guideline|polic|reason|block|violat|refus|reject|concern|fail)",
    r"(?:safety|moderation) check (?:fail|refus|reject)|by (?:the |our )?(?:\w+ )?(?:safety|moderation)\b|for safety\b",
    r"\bnsfw\b|(?<!case)(?<!case[- ])\bsensitive\b|inappropriate|prohibited (?:content|use|word|prompt|material|item)",
    r"content (?:is |was )?(?:prohibited|forbidden|not (?:allowed|permitted))|sensitive ?content|unsafe|nudity|"
    r"\bsexual|\bexplicit (?:content|material|image)|\bminors?\b|deepfake|hate speech|child safety",
    r"real (?:person|people|human)|public figure|celebrit|likeness|copyright|trademark|intellectual property|"
    r"third[- ]party (?:content|rights)|responsible ai\b|\brai\b|recognizable (?:person|people|face)",
    r"违规|敏感|审核|版权|侵权|真人|不合规|不当内容|涉黄|涉政|色情|暴力|违反",
)
NOT_CONTENT = any_of(
    r"(?:moderation|safety|content[ -]filter|review|check(?:er)?)[ -]?(?:\w+ )?(?:service|api|endpoint|server|backend)?"
    r" ?(?:is |was )?(?:unavailable|unreachable|timed out|timeout|error(?:ed)?\b|down\b|not responding|crashed)",
    r"(?:schema|constraint|access|type|protocol|memory|segmentation|sharing|format) violation|violat\w+ .{0,20}"
    r"(?:constraint|schema|rate)|审核超时|审核服务",
    r"(?:'|\"|`|\bparameter |\bfield )(?:moderation|safety\w*|content_filter)\b|safety tolerance",
)
TIME = any_of(r"\btime[d ]?[- ]?out\b|deadline exceeded|took too long|did not (?:complete|finish) in time|超时")
FETCHED = (
    r"(?:fetch|download|load|open|read|decod|access|retriev|reach|resolv|pars|pull|import|ingest|get|upload|identify)"
    r"(?:e|es|ed|ing|able|ible)?"
)
BROKEN = (
    r"(?:invalid|corrupt(?:ed)?|unreadable|unreachable|inaccessible|unsupported|malformed|damaged|broken|empty|bad|"
    r"not (?:a )?(?:valid|accessible|reachable|found|supported|readable|public)|"
    r"too (?:large|small|big|long|short|many)|exceed(?:s|ed)?|larger than|smaller than|could not|cannot|can't|can not|"
    r"unable|fail(?:ed|ure)?|must|expired|404|403)"
)
OF_MEDIA = (
    r"(?:urls?|links?|files?|formats?|size|dimensions?|resolution|pixels|aspect ratio|mime|type|bytes|data|input|"
    r"download)"
)
MADE = any_of(
    r"generat\w*|creat(?:e|ion|ing|ed)\b|render|produc|synthes|\bsav(?:e|ing)\b|encod|output|result|post-?process|"
    r"upscal|deliver|stor(?:e|ing|age)\b|transcod|生成|渲染|保存"
)
NOUNS: Mapping[str, str] = {
    "image": r"images?|pictures?|photos?|frames?|图片|图像|首帧|尾帧|参考图|照片",
    "video": r"videos?|clips?|footage|视频|影片",
    "audio": r"audios?|sounds?|voice samples?|音频|声音",
}
ANY_MEDIUM = (
    r"media|files?|attachments?|urls?|links?|https?|input (?:file|medium|asset|url)s?|assets?|references?|mask|"
    r"文件|素材|链接"
)
CHINESE_FETCH = r"(?:无法|不能|失败|下载|访问|读取|格式|过大|无效|损坏|尺寸|太大|不支持)"
KEY = any_of(
    r"(?:invalid|expired|missing|incorrect|wrong|revoked|disabled|unknown|bad|no)\b.{0,20}\b(?:token|api[ -]?key|"
    r"access key|credentials?|authori[sz]ation)\b(?!s? (?:limit|count))",
    r"(?:api[ -]?key|access key|credentials?)\b.{0,16}\b"
    r"(?:invalid|expired|missing|incorrect|revoked|disabled|lacks)|unauthori[sz]ed|authentication (?:failed|error)",
    r"permission denied|access denied|\bforbidden\b|令牌|密钥|未授权",
)
UNSUPPORTED = any_of(
    r"\b(?:unknown|unsupported|no such|nonexistent|invalid) (?:\w+ )?model\b|\bmodel\b.{0,60}\b(?:not (?:found|exist|"
    r"supported|offered)|does(?: not|n't) (?:exist|support)|unsupported|deprecated|retired|deactivated|discontinued|"
    r"no longer)|does(?: not|n't) support|(?:is|are) not supported (?:by|for|with)|模型不存在|不支持该模型|不支持此"
)
_INPUT = (
    r"(?:prompts?|text|instructions?|parameters?|params?|arguments?|fields?|values?|inputs?|durations?|seconds|length|"
    r"aspect[ _-]?ratios?|ratios?|resolutions?|sizes?|seeds?|voices?|languages?|speed|formats?|quality|mode|"
    r"negative[ _]prompt|watermark|style|tolerance|strength|scale|steps|characters?|tokens?|words|count|"
    r"request(?: body)?|json|body|payload|schema|"
    r"image[ _]urls?|images?|videos?|audios?|frames?|references?|urls?|提示词|参数|时长|比例|分辨率|尺寸)"
)
_WRONG = (
    r"(?:invalid|required|missing|must(?: not)? (?:be|have|contain)|should (?:be|have)|too (?:long|short|many|large|"
    r"small|few)|exceed(?:s|ed|ing)?|not (?:supported|allowed|valid|permitted|recogni[sz]ed|provided|specified|set)|"
    r"unsupported|out of range|out of bounds|at most|at least|longer than|shorter than|more than|cannot be (?:empty|"
    r"blank|null)|can't be (?:empty|blank|null)|is empty|malformed|unexpected|unknown|unrecogni[sz]ed|not one of|"
    r"not in (?:the )?(?:range|list|enum|allowed)|not a valid|maximum|minimum|limited to|does not match|错误|无效|过长|"
    r"超出|超过|缺少|不能为空|太长|不合法|不正确|不支持)"
)
INVALID = any_of(
    rf"{_INPUT}.{{0,40}}{_WRONG}",
    rf"{_WRONG}.{{0,40}}{_INPUT}",
    r"\b(?:validation|schema) (?:error|failed|failure)|\binvalid (?:request|argument|params?)|bad request|"
    r"unprocessable|参数",
)
NOT_INPUT = any_of(
    r"\b(?:response|reply|answer|output|result|upstream|backend|worker|gpu|cuda|state|session|certificate|signature|"
    r"status code|return(?:ed)? value|pointer|memory|server|webhook|callback)\b"
)
