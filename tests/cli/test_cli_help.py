"""Help pages: every command and option is explained, in both languages, quickly."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_kit import Cli
from typer.main import get_group

from corpusmith.cli.main import COMMANDS
from corpusmith.cli.widths import width
from corpusmith.messages import LANGUAGES, catalog

HEAVY = ("aiohttp", "alembic", "jinja2", "pydantic", "rich", "sqlalchemy", "yaml")


def all_commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    """(words, command) of every command."""
    from importlib import import_module

    for name, target in COMMANDS.items():
        module, _, one = target.partition(":")
        group = get_group(import_module(f"corpusmith.cli.{module}").app)
        if one:
            yield (name,), group.commands[one]
        else:
            yield from (((name, inner), command) for inner, command in group.commands.items())


ALL = dict(all_commands())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_command_and_option_is_explained(language: Any) -> None:
    texts = catalog(language)
    missing = [
        key
        for words, command in ALL.items()
        for key in (
            f"help.{'.'.join(words)}",
            *(f"help.option.{one.help}" for one in command.params if "--help" not in one.opts),
        )
        if key not in texts
    ]
    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("columns", [60, 100])
@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_help_pages_fit_the_terminal(
    words: tuple[str, ...], columns: int, language: str, cli: Cli
) -> None:
    ran = cli(*words, "--help", "--lang", language, env={"COLUMNS": str(columns)})
    assert (ran.code, ran.err) == (0, "")
    assert [line for line in ran.out.splitlines() if width(line) > columns] == []
    assert "help." not in ran.out


def test_the_first_page_is_this_one(cli: Cli) -> None:
    assert cli("--help", "--lang", "zh").out == (
        "用法：corpusmith 命令 …\n\n"
        "用大模型为大模型制作训练语料。花过钱的结果不会丢：任务不管怎么断的，corpusmith\n"
        "resume 都能接着跑。\n"
        "第一次用？corpusmith demo 不需要密钥。\n\n"
        "命令\n"
        "  demo         马上做一份小数据集看看，没有密钥也行\n"
        "  init         在文件夹里写好示例任务文件和角色卡\n"
        "  run          运行任务文件（YAML）\n"
        "  generate     用选项直接生成对话\n"
        "  preview      只看提示词原文和估算，什么都不发送\n"
        "  template     用带变量的模板合成数据\n"
        "  ratio        按各类别的比例合成数据，或从数据集里按比例抽样\n"
        "  rounds       多轮问答修正：从单轮三元组接着往下问\n"
        "  selfplay     自我对弈：学习者提问，专家回答，评审挑错，专家重写\n"
        "  feedback     用反馈（问题、回答、评分）生成训练文件\n"
        "  evaluate     按评分标准给数据集、任务的语料或文件打分\n"
        "  review       审核语料：通过、不通过、评分、打标签、修改，以及审核结果\n"
        "  resume       接着跑上一个（或指定的）任务\n"
        "  tasks        查看任务，暂停、重试、入库、删除\n"
        "  report       写一份质量报告：数量、花费、长度、评分、重复、多样性、示例\n"
        "  check        对已有数据做质检：数据集、任务的语料或文件\n"
        "  export       把任务或数据集的语料写成文件\n"
        "  push         把数据集连同数据卡片推送到 Hugging Face Hub\n"
        "  import       把现有数据导入语料数据集，或撤销一次导入\n"
        "  connections  保存模型连接和密钥，测试连接\n"
        "  providers    列出认识的模型服务商\n"
        "  characters   角色卡：导入、导出、编辑\n"
        "  scenarios    场景标签：添加、编辑、删除\n"
        "  templates    指令模板：编写、版本、比较、试用\n"
        "  domains      自我对弈的领域：列出、查看、新建\n"
        "  rubrics      评分标准：列出、查看\n"
        "  datasets     语料数据集：绑定、统计、清理、删除\n"
        "  users        服务器的用户：添加、角色、密码、停用\n"
        "  tokens       给程序用的令牌：新建、列出、吊销\n"
        "  backup       把全部内容备份成一个文件，任务运行时也可以\n"
        "  restore      恢复备份，SQLite 和 Postgres 都行\n"
        "  upgrade      升级数据库，升级前先备份\n"
        "  journal      付过费的调用：清理旧的\n"
        "  settings     服务器存在数据库里的设置：保留期限、内网端点\n"
        "  serve        启动服务器：网页、REST API 与任务执行\n"
        "  worker       运行排队中的任务，与服务器配合使用\n"
        "  simulate     启动模拟端点：不用密钥，内容都是编的\n"
        "  doctor       检查数据库、密钥、端点、时钟和磁盘\n\n"
        "所有命令都有的选项\n"
        "  --db URL                数据库：sqlite:///文件 或 postgresql://…\n"
        "  --lang zh|en            消息的语言\n"
        "  --log-level INFO|DEBUG  把每次调用写到标准错误；DEBUG 还写提示词和回复的开头\n"
        "  --json                  结果用 JSON；进度是每行一个 JSON 事件\n"
        "  --debug                 出错时显示调用栈\n"
        "  -h, --help              显示本页\n"
        "  --version               显示版本号\n"
    )


def test_no_words_at_all_show_the_page_as_a_mistake(cli: Cli) -> None:
    page = cli("--help").out
    ran = cli()
    assert (ran.code, ran.out, ran.err) == (2, "", page)


def test_the_version_is_the_packages(cli: Cli) -> None:
    from corpusmith import __version__

    assert cli("--version").out == f"corpusmith {__version__}\n"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import json, sys; from corpusmith.cli.main import main; main(['--help']);"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, encoding="utf-8"
    )
    assert json.loads(ran.stdout.splitlines()[-1]) == []


def test_underscores_do_for_hyphens(cli: Cli, tmp_path: Path) -> None:
    assert cli("demo", "--output_dir", tmp_path / "a", "--help").code == 0
    assert cli("datasets", "delete_records", "--help").code == 0
