"""Cards as people and programs write them: full, thin, a template's blanks, none, in several languages."""
import json

TEXTS = {
    "en": ("This model writes short answers to questions about cooking and was made for a course on language models at a "
           "small school, where forty students use it every week.", "Uses", "Limitations", "How to use"),
    "de": ("Dieses Modell beantwortet kurze Fragen zum Kochen und entstand in einem Kurs über Sprachmodelle an einer kleinen "
           "Schule, in der es jede Woche vierzig Schüler benutzen.", "Verwendungszweck", "Einschränkungen", "Verwendung"),
    "fr": ("Ce modèle répond à de courtes questions de cuisine et a été créé pour un cours sur les modèles de langue dans une "
           "petite école où quarante élèves l'utilisent chaque semaine.", "Utilisation prévue", "Limites", "Exemple"),
    "zh": ("这个模型回答有关烹饪的简短问题，是为一所小学校的语言模型课程制作的，每周有四十名学生使用它来练习和学习。", "用途", "局限性", "快速开始"),
    "ja": ("このモデルは料理に関する短い質問に答えるもので、小さな学校の言語モデルの授業のために作られ、毎週四十人の生徒が使っています。", "用途", "制限事項", "使い方"),
}


def front_matter(fields):
    lines = ["---"]
    for key, value in fields.items():
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            lines += [f"{key}:"] + [f"- {item}" for item in value]
        elif isinstance(value, (list, dict)):
            lines.append(f"{key}: {json.dumps(value)}")
        else:
            lines.append(f"{key}: {value}")
    return "\n".join(lines + ["---", ""])


def card(fields, style="short", name="m", language="en", text=""):
    """style: none, bare (front matter alone), short, full, template."""
    if style == "none":
        return None
    head = front_matter(fields) if fields else ""
    if style == "bare":
        return head
    summary, uses, limits, example = TEXTS[language]
    if style == "template":
        return head + (f"# Model Card for {name}\n\n## Model Details\n\n### Model Description\n\n- **Developed by:** [More Information Needed]\n\n"
                       "## Uses\n\n[More Information Needed]\n\n## Bias, Risks, and Limitations\n\n[More Information Needed]\n")
    if style == "short":
        return head + f"# {name}\n\n{summary}\n\n{text}\n"
    return head + (f"# {name}\n\n{summary}\n\n{text}\n\n## {uses}\n\n{summary}\n\n## {limits}\n\n{summary}\n\n## {example}\n\n"
                   f"```python\nfrom transformers import AutoModel\nmodel = AutoModel.from_pretrained(\"ada/{name}\")\n```\n")
