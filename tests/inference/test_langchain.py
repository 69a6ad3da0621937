"""langchain-openai with the worker as its server: chat, streams, batches, schemas and embeddings."""
import pytest
import requests
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings
from pydantic import BaseModel

MESSAGES = [SystemMessage("short answers"), HumanMessage("where is the cat ?")]
TEXTS = ["A man is eating food.", "A man is eating a piece of bread.", "The girl is carrying a baby."]


class Place(BaseModel):
    """Where something is."""
    red: bool
    big: bool


@pytest.fixture(scope="module")
def chat(llama):
    return ChatOpenAI(base_url=llama.url + "/v1", api_key="unused", model="test/model", temperature=0, max_tokens=16)


def test_chat_whole_streamed_and_in_a_batch(chat):
    whole = chat.invoke(MESSAGES)
    assert whole.response_metadata["finish_reason"] in ("length", "stop")
    assert 0 < whole.usage_metadata["output_tokens"] <= 16
    parts = list(chat.stream(MESSAGES))
    assert len(parts) > 2 and "".join(part.content for part in parts) == whole.content
    assert [answer.content for answer in chat.batch([MESSAGES] * 6)] == [whole.content] * 6


def test_plain_texts_in_one_batch(llama):
    model = OpenAI(base_url=llama.url + "/v1", api_key="unused", model="test/model", temperature=0, max_tokens=8)
    prompts = ["the cat", "a dog", "where is"]
    texts = [row[0].text for row in model.generate(prompts).generations]
    assert texts == [model.invoke(prompt) for prompt in prompts] and all(texts)
    assert "".join(model.stream(prompts[0])) == texts[0]


def test_answers_have_the_shape_that_is_asked_for(llama):
    chat = ChatOpenAI(base_url=llama.url + "/v1", api_key="unused", model="test/model", temperature=0, max_tokens=200)
    answer = chat.with_structured_output(Place, method="json_schema").invoke(MESSAGES)
    assert isinstance(answer, Place)


def test_embeddings_are_the_servers(minilm):
    embeddings = OpenAIEmbeddings(base_url=minilm.url + "/v1", api_key="unused", model="test/model", check_embedding_ctx_length=False)
    vectors = embeddings.embed_documents(TEXTS)
    direct = requests.post(minilm.url + "/v1/embeddings", json={"input": TEXTS, "model": "test/model"}, timeout=60).json()
    assert vectors == [pytest.approx(row["embedding"], abs=1e-6) for row in direct["data"]]
    assert embeddings.embed_query(TEXTS[0]) == pytest.approx(vectors[0], abs=1e-5)
