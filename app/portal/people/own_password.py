"""What is wrong where somebody whose address is known gives the password once more."""

from app.accounts.authentication import Unauthenticated
from app.errors import AppError
from app.members.sign_in import WrongCredentials


class PasswordWrong(Unauthenticated):
    """The address was not typed here: only the password can be wrong."""

    code = "password_wrong"


def about_password(error: AppError) -> AppError:
    """Return the error as such a page tells it."""
    if not isinstance(error, WrongCredentials):
        return error
    return PasswordWrong("the password is wrong", hint="you may set a new one by e-mail")
