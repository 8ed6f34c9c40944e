"""Answers to lesson 00: right ones that must pass, wrong ones with the words that the message must have."""

RIGHT = {"answer": ["def answer():\n    return 42", "def answer():\n    total = 6 * 7\n    return total"]}

WRONG = {
    "answer": {
        "printed": ("def answer():\n    print(42)", "gave None"),
        "a text": ("def answer():\n    return '42'", "is a text"),
        "another": ("def answer():\n    return 41", "should be 42, but it is 41"),
        "a number, no function": ("answer = 42", "should be a function"),
    }
}
