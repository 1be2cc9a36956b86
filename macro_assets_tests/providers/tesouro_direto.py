"""A stand-in for Tesouro Direto: the history of all bonds, and the quotes of the moment; figures are synthetic."""

from __future__ import annotations

from macro_assets.catalog import Series
from macro_assets_tests.providers import Asked, World

HISTORY = (
    "Tipo Titulo;Data Vencimento;Data Base;Taxa Compra Manha;Taxa Venda Manha;"
    "PU Compra Manha;PU Venda Manha;PU Base Manha\r\n"
)
QUOTES = "Título;Rendimento anual do título;Preço unitário de resgate;Vencimento do Título\n"


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    bonds = world.by_source[asked.source]
    if asked.path.endswith("/precotaxatesourodireto.csv"):
        lines = [_line(s, f"{d:%d/%m/%Y}", v) for s in bonds for d, v in reversed([*world.figures(s).items()])]
        return 200, (HISTORY + "".join(lines)).encode("latin-1")
    name = asked.path.removeprefix("/documents/d/guest/").removesuffix("-csv")
    quoted = [_quote(s, [*world.figures(s).values()][-1]) for s in bonds if s.dataset == name]
    return (200, (QUOTES + "".join(quoted)).encode()) if quoted else (404, b"Not Found")


def _line(bond: Series, day: str, rate: float) -> str:
    kind, maturity = bond.code.rsplit(" ", 1)
    rates = f"{rate:.2f};{rate + 0.12:.2f}".replace(".", ",")
    return f"{kind};{maturity};{day};{rates};1000,10;990,20;990,20\r\n"


def _quote(bond: Series, rate: float) -> str:
    kind, maturity = bond.code.rsplit(" ", 1)
    over = f"{'IPCA' if 'IPCA' in kind else 'SELIC'} {'-' if rate < 0 else '+'} " if kind != "Tesouro Prefixado" else ""
    return f"{kind};{over}{abs(rate) if over else rate:.2f}%;R$ 1.003,10;{maturity}\n"
